"""Moves events from the outbox to JetStream and on to the functions, and calls the functions at their schedules.

The whole connector is one idea: a *term* (`term.py`). A connector takes the lead by an advisory lock in Postgres,
connects NATS, sets every function's consumer back to what is acknowledged without a gap, and works until the first
thing fails. Then it lets go of everything and begins a new term. So a start, a restart after a kill and the return of a
lost database or broker are the same code, and none of them has anything to remember.
"""
