"""What can be read: files and SQLite databases."""
