"""Helpers as one would write them in a few lines of Python, for the table to show what its libraries cost."""
