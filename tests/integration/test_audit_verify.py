"""Whoever changes the trail is found out: by the command line, as the database's owner would do it."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from cryptography.fernet import Fernet

from adloom.audit import heads
from adloom.audit.chain import next_hash
from adloom.audit.names import public_key
from adloom.audit.signing import SigningKeys
from tests.integration.audit_rig import Trail

OWNER = "set role adloom_owner"


def rewrite(trail: Trail, first: int) -> None:
    """The whole chain computed anew from a position on, by the role that owns the table and can turn its rules off."""
    execute = trail.admin.execute
    execute(
        "alter table audit_events no force row level security; alter table audit_chains no force row level security"
    )
    execute(OWNER)
    rows = execute(
        "select position, record, hash from audit_events where chain = %s order by position", (trail.chain,)
    ).fetchall()
    digest = bytes(32)
    for position, record, stored in rows:
        changed = record.replace("adloom_auth", "adloom_cli") if position >= first else record
        digest = next_hash(digest, changed) if position >= first else bytes(stored)
        execute(
            "update audit_events set record = %s, hash = %s where chain = %s and position = %s",
            (changed, digest, trail.chain, position),
        )
    execute("update audit_chains set hash = %s where chain = %s", (digest, trail.chain))
    execute("reset role")
    execute("alter table audit_events force row level security; alter table audit_chains force row level security")


def test_a_trail_that_nobody_touched_holds(trail):
    trail.write(5)
    trail.sign()
    trail.write(2)
    said = trail.verify()
    assert (said["holds"], said["faults"], said["warnings"]) == (True, [], [])
    assert [(each["events"], each["signed"]) for each in said["chains"] if each["chain"] == trail.chain] == [(7, 5)]
    plain = trail.adloom("audit", "verify")
    assert (plain.exit_code, plain.stdout.splitlines()[-1]) == (0, "The trail holds.")


@pytest.mark.parametrize(
    ("change", "position", "words"),
    [
        ("update audit_events set record = replace(record, '\"3\"', '\"4\"') where position = 4", 4, "changed"),
        ("update audit_events set action = 'key.made' where position = 4", 4, "the column action"),
        ("update audit_events set actor_id = 'somebody' where position = 4", 4, "the column actor_id"),
        ("update audit_events set recorded_at = recorded_at - interval '1 day' where position = 4", 4, "recorded_at"),
        ("delete from audit_events where position = 4", 4, "deleted"),
        ("delete from audit_events where position between 3 and 5", 3, "the events 3 to 5 are missing"),
        ("delete from audit_events where position = 1", 1, "deleted"),
        ("delete from audit_events where position >= 8", 8, "the tail was deleted"),
    ],
)
def test_an_update_and_a_deletion_in_the_middle_are_found(trail, change, position, words):
    trail.write(9)
    trail.sign()
    assert trail.adloom("audit", "verify").exit_code == 0
    trail.admin.execute(change)
    result = trail.adloom("audit", "verify")
    assert result.exit_code == 1
    first = next(line for line in result.stdout.splitlines() if line.startswith("WRONG"))
    assert first.startswith(f"WRONG chain {trail.chain}, position {position}: ")
    assert words in first


@pytest.mark.parametrize("whole", [True, False])
def test_two_events_that_were_swapped_are_found(trail, whole):
    trail.write(9)
    trail.sign()
    columns = ["record", "hash", "recorded_at", "target_id"] if whole else ["record"]
    taken = ", ".join(f"{name} = other.{name}" for name in columns)
    trail.admin.execute(
        f"update audit_events e set {taken} from audit_events other where e.chain = other.chain"
        " and (e.position, other.position) in ((3, 5), (5, 3))"
    )
    faults = trail.faults()
    assert {position for _, position, _ in faults} >= {3, 5}
    assert any("swapped" in what for _, _, what in faults)


def test_the_deletion_of_a_tail_that_a_stored_head_covers_is_found(trail):
    trail.write(9)
    head = trail.sign()
    # Everything that Postgres knows of the tail goes: events, the noted end, the noted heads.
    trail.admin.execute("delete from audit_events where position > 6")
    trail.admin.execute(
        "update audit_chains c set position = 6, hash = e.hash, last_at = e.recorded_at from audit_events e"
        " where e.chain = c.chain and e.position = 6"
    )
    trail.admin.execute("delete from audit_heads")
    [(chain, position, what)] = trail.faults()
    assert (chain, position) == (trail.chain, 7)
    assert what == f"the chain ends at 6, but {head.object_key} signed position 9: the tail was deleted"


def test_a_tail_that_no_head_covers_is_missed_by_the_noted_end(trail):
    trail.write(5)
    trail.sign()
    trail.write(2)
    trail.admin.execute("delete from audit_events where position = 7")
    assert trail.faults() == [
        (trail.chain, 7, "the last event is 6, and 7 were written: the tail was deleted"),
    ]


@pytest.mark.parametrize("first", [1, 4])
def test_a_chain_that_its_owner_computed_anew_is_found_and_not_signed_again(trail, first):
    trail.write(6)
    early = trail.sign()
    trail.write(3)
    late = trail.sign()
    rewrite(trail, first)
    expected = {(6, early.object_key), (9, late.object_key)}
    found = {(position, what.split(" signed")[0].rpartition(" ")[2]) for _, position, what in trail.faults()}
    assert found == expected
    assert all("computed anew" in what for _, _, what in trail.faults())
    trail.write(1)
    trail.sign()
    assert any("refused to sign" in what for _, _, what in trail.faults())
    states = trail.admin.execute("select problem from audit_duties where duty = 'heads'").fetchall()
    assert states == [("chain_changed",)]


def test_a_chain_that_is_gone_altogether_is_found(trail):
    trail.write(3)
    trail.sign()
    trail.admin.execute("delete from audit_events; delete from audit_chains")
    assert (trail.chain, None, "the chain is gone from the database") in trail.faults()


def test_a_forged_head_is_found(trail):
    trail.write(3)
    head = trail.sign()
    line, seal, _ = trail.storage.get(head.object_key).decode().split("\n")
    own = SigningKeys(Fernet.generate_key().decode())
    for forged, words in (
        (own.sign(json.loads(line)), "for which nobody vouches"),
        (f"{line.replace('3', '2')}\n{seal}\n".encode(), "does not fit"),
        (b"<html>", "is no signed statement"),
    ):
        trail.storage.put(head.object_key, forged)
        [(chain, _, what)] = trail.faults()
        assert chain == ""
        assert what.startswith(head.object_key)
        assert words in what
    assert heads.sign(trail.database, trail.storage, trail.keys) is not None
    assert trail.admin.execute("select problem from audit_duties where duty = 'heads'").fetchone() == ("head_forged",)


def test_a_head_that_was_signed_once_cannot_take_the_place_of_another(trail):
    trail.write(3)
    first = trail.sign()
    trail.write(1)
    second = trail.sign()
    trail.storage.put(second.object_key, trail.storage.get(first.object_key))
    assert any("replaced" in what for _, _, what in trail.faults())


@pytest.mark.parametrize("lost", [0, 1, 2])
@pytest.mark.parametrize("noted", [True, False])
def test_a_missing_head_is_found(trail, lost, noted):
    made = []
    for _ in range(3):
        trail.write(1)
        made.append(trail.sign())
    trail.remove(made[lost].object_key)
    if not noted:
        if lost == 2:
            return  # whoever takes the last file and what Postgres knows of it leaves no trace but the hour that lacks
        trail.admin.execute("delete from audit_heads where sequence = %s", (lost + 1,))
    [(_, _, what)] = trail.faults()
    assert (made[lost].object_key if noted else f"{lost + 1} is missing") in what


def test_heads_that_stopped_are_a_warning_with_their_age(trail):
    trail.write(1)
    assert "No heads were ever signed" in trail.verify()["warnings"][0]
    statement = {"v": 1, "kind": "heads", "sequence": 1, "at": "2026-01-01T00:00:00+00:00", "previous": None}
    trail.storage.put("audit/heads/2026/01/x.json", trail.keys.sign(statement | {"chains": []}))
    [warning] = trail.verify()["warnings"]
    assert "hours ago (2026-01-01 00:00 UTC): signing has stopped" in warning
    assert trail.adloom("audit", "verify").exit_code == 0


def test_heads_of_rotated_keys_stay_verifiable_after_the_old_keys_are_thrown_away(trail, tmp_path):
    oldest = trail.keys.current
    rings = [trail.ring, f"{Fernet.generate_key().decode()},{trail.ring}"]
    rings.append(f"{Fernet.generate_key().decode()},{rings[1].split(',')[0]}")
    for ring in rings:
        trail.ring = ring
        trail.write(1)
        trail.sign()
    (tmp_path / "audit-key").write_text(trail.ring.split(",")[0])
    assert trail.verify()["holds"]
    # Without the statement that vouches for the first key nobody believes what it signed.
    trail.remove(public_key(oldest))
    assert all("nobody vouches" in what for _, _, what in trail.faults())
    # Nor does anybody believe a key that a stranger put there.
    stranger = SigningKeys(f"{Fernet.generate_key().decode()},{rings[0]}")
    stranger.keep_older(trail.storage)
    assert all("nobody vouches" in what for _, _, what in trail.faults())


def test_whoever_has_only_the_public_key_verifies(trail, tmp_path):
    trail.write(2)
    trail.sign()
    printed = trail.adloom("audit", "keys").stdout
    (tmp_path / "public.pem").write_text(printed.split("\n", 1)[1])
    (tmp_path / "audit-key").unlink()
    assert trail.adloom("audit", "verify", "--public-key", str(tmp_path / "public.pem")).exit_code == 0
    other = SigningKeys(Fernet.generate_key().decode())
    public = base64.b64encode(other.publics[other.current]).decode()
    (tmp_path / "public.pem").write_text(public)
    assert trail.adloom("audit", "verify", "--public-key", str(tmp_path / "public.pem")).exit_code == 1


def test_a_head_whose_process_died_before_it_was_noted_is_taken_over(trail):
    trail.write(2)
    trail.sign()
    made = trail.sign()
    trail.admin.execute("delete from audit_heads where sequence = %s", (made.sequence,))
    following = trail.sign()
    assert following.sequence == made.sequence + 1
    said = trail.verify()
    assert (said["holds"], said["heads"]) == (True, 3)


def test_the_hash_is_what_the_documentation_says(trail):
    trail.write(3)
    digest = bytes(32)
    for record, stored in trail.admin.execute("select record, hash from audit_events order by position"):
        digest = hashlib.sha256(digest + record.encode()).digest()
        assert digest == bytes(stored)
