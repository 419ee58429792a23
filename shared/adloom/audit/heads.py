"""Heads: the ends of all chains, signed every hour and stored where the database cannot reach.

A file of heads is a statement (see adloom.audit.signing):

    {"v":1,"kind":"heads","sequence":7,"at":"...","previous":"<sha256 of file 6>",
     "chains":[{"chain":"...","position":12,"hash":"..."}]}

Each file names the one before it, so that none can be taken away unseen. Before a chain is signed, the end that was
signed last must still be in it: a chain that was computed anew is not signed again, its last good end is repeated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from adloom import logs
from adloom.audit import locks, store
from adloom.audit.names import HEADS_FOLDER, head_key
from adloom.audit.signing import ForgedError, SigningKeys, Trust
from adloom.audit.store import End, HeadFile
from adloom.clock import real_now
from adloom.db import Database
from adloom.errors import AdloomError, ConfigurationError, NotFound, Unavailable
from adloom.storage import Storage

EVERY = timedelta(hours=1)
DUTY = "heads"

log = logs.get(__name__)


def is_due(database: Database) -> bool:
    """Whether an hour has passed."""
    last = store.last_head(database)
    return last is None or real_now() - last.made_at >= EVERY


def sign(database: Database, storage: Storage, keys: SigningKeys) -> HeadFile | None:
    """Sign and store the heads now; None when another is at it, or it cannot be done now.

    A storage that is away is said in the log and in the trail's state, and tried again at the next tick.
    """
    with locks.exclusive(database, locks.HEADS) as alone:
        if alone is None:
            return None
        try:
            with locks.shared(alone, locks.ARCHIVE):  # no event leaves between two looks at it
                made, problem = _sign(database, storage, keys)
        except (Unavailable, ConfigurationError) as error:
            put_off(database, DUTY, error)
            return None
    store.note_duty(database, DUTY, problem)
    return made


def put_off(database: Database, duty: str, error: AdloomError) -> None:
    """Say in the log and in the trail's state that a duty has to wait."""
    log.warning("audit_put_off", duty=duty, reason=error.code, detail=error.detail)
    store.note_duty(database, duty, error.code)


def _sign(database: Database, storage: Storage, keys: SigningKeys) -> tuple[HeadFile, str | None]:
    keys.keep_older(storage)
    trust = Trust(keys.publics)
    trust.learn(storage)
    last = _adopt(database, storage, trust, store.last_head(database))
    previous, problem = _previous(storage, trust, last)
    entries = []
    for chain, end in _ends(database, previous).items():
        if chain in previous and not _holds(database, end, previous[chain]):
            log.error("audit_chain_changed", chain=chain, position=previous[chain]["position"])
            problem = "chain_changed"
            entries.append(previous[chain] | {"refused": True})
        elif end is not None:
            entries.append({"chain": chain, "position": end.last_position, "hash": end.hash.hex()})
    return _store(database, storage, keys, last, entries), problem


def _store(
    database: Database, storage: Storage, keys: SigningKeys, last: HeadFile | None, entries: list[dict[str, Any]]
) -> HeadFile:
    now, sequence = real_now(), last.sequence + 1 if last else 1
    statement = {
        "v": 1,
        "kind": "heads",
        "sequence": sequence,
        "at": now.isoformat(),
        "previous": last.file_hash.hex() if last else None,
        "chains": entries,
    }
    data, key = keys.sign(statement), head_key(sequence, now)
    storage.put(key, data)
    if storage.get(key) != data:
        raise Unavailable("The object storage does not give back what was stored", code="storage_changes")
    made = HeadFile(sequence, key, hashlib.sha256(data).digest(), now)
    store.note_head(database, made)
    return made


def _adopt(database: Database, storage: Storage, trust: Trust, last: HeadFile | None) -> HeadFile | None:
    """Note the files that were stored just before a process died; the last one of all."""
    for key in sorted(_keys_after(storage, last)):
        found = _opened(storage, trust, key)
        if found is not None and found[0]["sequence"] == (last.sequence if last else 0) + 1:
            said, digest = found
            if said["previous"] == (last.file_hash.hex() if last else None):
                last = HeadFile(said["sequence"], key, digest, datetime.fromisoformat(said["at"]))
                store.note_head(database, last)
    return last


def _keys_after(storage: Storage, last: HeadFile | None) -> Iterator[str]:
    """The files that may be younger than the last one that was noted: of its month and the present one."""
    now = real_now()
    months = {f"{HEADS_FOLDER}{at:%Y/%m}/" for at in (last.made_at, now)} if last else {HEADS_FOLDER}
    for month in sorted(months):
        for each in storage.objects(month):
            if last is None or each.key > last.object_key:
                yield each.key


def _opened(storage: Storage, trust: Trust, key: str) -> tuple[dict[str, Any], bytes] | None:
    data = storage.get(key)
    try:
        return trust.open(data, "heads"), hashlib.sha256(data).digest()
    except ForgedError as error:
        log.exception("audit_head_forged", file=key, reason=str(error))
        return None


def _previous(storage: Storage, trust: Trust, last: HeadFile | None) -> tuple[dict[str, dict[str, Any]], str | None]:
    """What the last file said of each chain, and what is wrong with it."""
    if last is None:
        return {}, None
    try:
        found = _opened(storage, trust, last.object_key)
    except NotFound:
        log.exception("audit_head_missing", file=last.object_key)
        return {}, "head_missing"
    if found is None or found[1] != last.file_hash:
        return {}, "head_forged"
    return {each["chain"]: each for each in found[0]["chains"]}, None


def _ends(database: Database, previous: dict[str, dict[str, Any]]) -> dict[str, End | None]:
    """Every chain that there is or was."""
    return dict.fromkeys(previous) | {end.chain: end for end in store.ends(database)}


def _holds(database: Database, end: End | None, signed: dict[str, Any]) -> bool:
    """Whether what was signed of a chain is still in it. What is archived since is left to `adloom audit verify`."""
    if end is None or signed["position"] > end.last_position:
        return False
    if signed["position"] < end.archived:
        return True
    if signed["position"] == end.archived:
        return end.archived_hash.hex() == str(signed["hash"])
    found = store.slice_of(database, end.chain, signed["position"] - 1, 1)
    return bool(found) and found[0].event_position == signed["position"] and found[0].hash.hex() == signed["hash"]
