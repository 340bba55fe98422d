"""From a password to authenticated, seekable encryption."""
