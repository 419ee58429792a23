from __future__ import annotations

import json

import pytest

from adloom.backup import keys
from adloom.errors import ConfigurationError, Conflict
from infra.deployment.secrets import fernet_key

OLD, NEW = fernet_key(), fernet_key()


def test_a_ring_fits_when_it_holds_every_key_of_the_backup():
    needed = keys.fingerprints({"token-ring": OLD})
    assert keys.missing(needed, keys.fingerprints({"token-ring": OLD})) == []
    assert keys.missing(needed, keys.fingerprints({"token-ring": f"{NEW}, {OLD}"})) == []
    assert keys.missing(needed, keys.fingerprints({"token-ring": NEW})) == ["token-ring"]
    assert keys.missing(needed, {}) == ["token-ring"]
    assert keys.missing(keys.fingerprints({"token-ring": f"{NEW},{OLD}"}), needed) == ["token-ring"]


def test_a_ring_of_another_purpose_does_not_stand_in_for_it():
    assert keys.missing(keys.fingerprints({"token-ring": OLD}), keys.fingerprints({"mail-ring": OLD})) == ["token-ring"]
    one, other = keys.fingerprints({"token-ring": OLD, "mail-ring": OLD}).values()
    assert one != other, "not even that two rings share a key can be seen"


def test_a_fingerprint_holds_nothing_of_the_key():
    (fingerprint,) = keys.fingerprints({"token-ring": OLD})["token-ring"]
    assert len(fingerprint) == 32
    assert not {OLD[i : i + 6] for i in range(len(OLD) - 5)} & {fingerprint[i : i + 6] for i in range(27)}


@pytest.mark.parametrize("ring", ["", "x", f"{OLD},", "x" * 44])
def test_a_ring_that_is_none_is_said_without_showing_it(ring):
    with pytest.raises(ConfigurationError, match="token-ring") as refused:
        keys.fingerprints({"token-ring": ring})
    assert not ring or ring not in refused.value.detail


def test_rings_are_found_as_secrets_in_the_environment_and_told_by_fingerprint(tmp_path, monkeypatch):
    monkeypatch.setenv("ADLOOM_MAIL_RING", NEW)
    (tmp_path / "token-ring").write_text(f"{OLD}\n", encoding="utf-8")
    told = {"leads-ring": ["ab"], "token-ring": ["out of date"]}
    (tmp_path / keys.FINGERPRINTS_FILE).write_text(json.dumps(told), encoding="utf-8")
    expected = keys.fingerprints({"token-ring": OLD, "mail-ring": NEW})
    assert keys.present(tmp_path) == {**expected, "leads-ring": ["ab"]}


def test_a_damaged_file_of_fingerprints_is_said(tmp_path):
    (tmp_path / keys.FINGERPRINTS_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="damaged"):
        keys.present(tmp_path)


def test_an_identity_is_written_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "identity"
    recipient = keys.generate(path)
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.recipient_of(text.splitlines()[1]) == recipient
    assert len(keys.identities(text, "it")) == 1
    with pytest.raises(Conflict, match="never overwritten"):
        keys.generate(path)
    assert path.read_text(encoding="utf-8") == text
    with pytest.raises(ConfigurationError, match="cannot be written"):
        keys.generate(tmp_path / "nowhere" / "identity")


@pytest.mark.parametrize("text", ["", "# only a comment", "age1xyz", "AGE-SECRET-KEY-1XYZ"])
def test_what_is_no_identity_is_said(text):
    with pytest.raises(ConfigurationError, match="it holds no identity"):
        keys.identities(text, "it")


def test_what_is_no_recipient_is_said():
    assert len(keys.recipients([keys.recipient_of(keys.new_identity())] * 2)) == 2
    with pytest.raises(ConfigurationError, match="recipient of backups is wrong"):
        keys.recipients(["age1xyz"])
