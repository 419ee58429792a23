"""Mails to people: written into an outbox in the transaction of what they tell of, sent by `auth`."""

from adloom.mail.outbox import enqueue

__all__ = ["enqueue"]
