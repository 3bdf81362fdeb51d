"""The files of this program, and safe ways to read and write them."""

HIDDEN = 65534  # the uid of each user whom this user namespace does not map: user_namespaces(7), overflowuid
