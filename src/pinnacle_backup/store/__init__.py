"""Bytes by name: a local folder, later object storage."""
