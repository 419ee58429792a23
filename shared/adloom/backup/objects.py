"""The bucket's objects as members of a backup, and the sum over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

from adloom.audit.names import head_sequence
from adloom.backup.archive import Member
from adloom.backup.contents import OBJECTS, ObjectSum
from adloom.errors import NotFound
from adloom.storage import Storage


class ObjectTally:
    """Adds up objects in the order in which they come."""

    def __init__(self) -> None:
        self.count = 0
        self.size = 0
        self._sum = sha256()

    def add(self, key: str, size: int, digest: bytes) -> None:
        name = key.encode()
        self._sum.update(len(name).to_bytes(4) + name + size.to_bytes(8) + digest)
        self.count += 1
        self.size += size

    @property
    def total(self) -> ObjectSum:
        return ObjectSum(count=self.count, bytes=self.size, sum=self._sum.hexdigest())


def members(storage: Storage, tally: ObjectTally, last_head: int) -> Iterator[Member]:
    """Every object of the bucket.

    Rows name objects that were stored before them, so a listing that begins after the snapshot has all it names. What
    is removed while we copy is left out, and so are heads of the audit trail that are younger than the snapshot's last
    one: they speak of events that the rows do not have.
    """
    for number, stored in enumerate(storage.objects(), start=1):
        if (head_sequence(stored.key) or 0) > last_head:
            continue
        try:
            size, chunks = storage.stream(stored.key)
        except NotFound:
            continue
        yield Member(f"{OBJECTS}{number:08}", size, _counted(stored.key, size, chunks, tally), key=stored.key)


def _counted(key: str, size: int, chunks: Iterable[bytes], tally: ObjectTally) -> Iterator[bytes]:
    digest = sha256()
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
    tally.add(key, size, digest.digest())
