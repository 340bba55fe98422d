"""The composition root, and the use-cases that every front end shares."""
