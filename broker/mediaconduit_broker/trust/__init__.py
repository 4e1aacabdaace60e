"""Whose code may run here, and which of it: the allow-list and the lock."""
