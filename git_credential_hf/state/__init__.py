"""The files of this program, and safe ways to read and write them."""
