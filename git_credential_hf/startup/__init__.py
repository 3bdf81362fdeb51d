"""How the program starts: for git at once, for people with all that is installed."""
