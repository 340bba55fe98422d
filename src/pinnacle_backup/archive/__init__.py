"""The archive format, and nothing but the format."""
