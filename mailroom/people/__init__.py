"""Subscribers: who asked for letters, in which languages, and who must never get one again."""
