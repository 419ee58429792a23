"""Connections to ad platforms: the log-in at the platform, and the vault of their tokens."""
