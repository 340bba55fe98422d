"""When something happens by itself: pure time arithmetic, without clock, files or state."""
