"""Backup and recovery for Ultra Pinnacle AI Studio."""

__version__ = "0.1.0"
