"""Postgres: one engine per process, an organisation per transaction."""

from adloom.db.engine import Database, raw

__all__ = ["Database", "raw"]
