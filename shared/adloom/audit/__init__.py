"""The audit trail: who changed what, when and from where, so that nobody can change it afterwards unseen.

`record` writes an event in the transaction of the change, `note` one of its own. Each organisation has a chain of
events and the deployment one: every event's hash counts in the one before it. The chains' ends are signed every hour
with a key that the database never sees, and the signatures lie in S3. What is older than ninety days lies there too.
"""

from adloom.audit.actor import SYSTEM, Actor, acting, actor, by, set_actor
from adloom.audit.strangers import note_first
from adloom.audit.trail import note, record

__all__ = ["SYSTEM", "Actor", "acting", "actor", "by", "note", "note_first", "record", "set_actor"]
