"""Metrics: how they are synced, proved and read."""
