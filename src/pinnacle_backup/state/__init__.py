"""What happened and what is to be done: runs, jobs, messages that wait; in one SQLite file."""
