"""One file a verb: backup, restore, verify, cleanup and their kin."""
