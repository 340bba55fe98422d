"""Notifications: the rules of who is told what, the messages, and the ways that they take."""
