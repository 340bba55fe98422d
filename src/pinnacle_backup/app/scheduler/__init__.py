"""The scheduler: one process a studio that starts what is due, and notices what should have been."""
