"""A whole studio back from nothing but the address of its backups, and the password."""
