"""The commands that people run: one file each, with the name of the command."""
