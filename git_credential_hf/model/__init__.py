"""The concepts, each in one place: pure functions and values. Nothing here reads, writes or asks."""
