from __future__ import annotations

import gzip
import io
import tarfile
import threading

import pyrage
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adloom.backup import archive, keys
from adloom.backup.archive import Member
from adloom.backup.rowsum import RowSum
from adloom.errors import InvalidRequest

IDENTITY = pyrage.x25519.Identity.generate()


def write(path, members, identity=IDENTITY):
    with path.open("wb") as file:
        archive.write(members, file, [identity.to_public()], 0)
    return path


def whole(path):
    with archive.opened(path, [IDENTITY]) as entries:
        return [(entry.name, entry.key, entry.body.read()) for entry in entries]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[a-z]{1,90}", fullmatch=True),
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300),
            st.lists(st.binary(max_size=3000), max_size=4),
        ),
        max_size=5,
    )
)
def test_members_come_back_as_they_were(tmp_path, listed):
    members = [Member(name, len(b"".join(chunks)), chunks, key=key) for name, key, chunks in listed]
    found = whole(write(tmp_path / "x", members))
    assert found == [(name, key, b"".join(chunks)) for name, key, chunks in listed]


def test_memory_and_disk_are_not_asked_for_what_is_not_there_yet(tmp_path):
    """Members are taken one by one, while the file is written."""
    taken = []

    def members():
        for number in range(50):
            taken.append(number)
            yield Member(str(number), 100_000, [bytes(100_000)])

    with (tmp_path / "x").open("wb") as file:
        archive.write(members(), file, [IDENTITY.to_public()], 0)
    with archive.opened(tmp_path / "x", [IDENTITY]) as entries:
        assert [entry.name for entry in entries] == [str(number) for number in taken]


def test_an_error_while_writing_stays_what_it_was(tmp_path):
    class OwnError(Exception):
        pass

    def members():
        yield Member("first", 3, [b"one"])
        raise OwnError("of ours")

    with pytest.raises(OwnError, match="of ours"):
        write(tmp_path / "x", members())


def test_a_member_that_is_not_as_long_as_it_said_stops_the_backup(tmp_path):
    with pytest.raises(RuntimeError, match="has 3 bytes, not 4"):
        write(tmp_path / "x", [Member("x", 4, [b"one"])])


def test_the_thread_ends_when_a_reader_stops_in_the_middle(tmp_path):
    path = write(tmp_path / "x", [Member(str(n), 1 << 20, [bytes(1 << 20)]) for n in range(3)])
    with archive.opened(path, [IDENTITY]) as entries:
        next(entries)
    assert "decrypt" not in {thread.name for thread in threading.enumerate()}


def test_a_reader_that_skips_a_body_gets_the_next_member(tmp_path):
    path = write(tmp_path / "x", [Member("a", 3, [b"one"]), Member("b", 3, [b"two"])])
    with archive.opened(path, [IDENTITY]) as entries:
        assert [entry.name for entry in entries] == ["a", "b"]


def encrypted(path, plain):
    path.write_bytes(pyrage.encrypt(plain, [IDENTITY.to_public()]))
    return path


def tarred(**kind):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        info = tarfile.TarInfo("x")
        for name, value in kind.items():
            setattr(info, name, value)
        tar.addfile(info)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "plain",
    [b"", b"no gzip", gzip.compress(b"no tar" * 1000), gzip.compress(tarred())[:-9], gzip.compress(tarred(type=b"2"))],
    ids=["nothing", "no gzip", "no tar", "half a gzip", "a link"],
)
def test_what_is_encrypted_well_and_is_no_backup_is_damaged(tmp_path, plain):
    with pytest.raises(InvalidRequest, match="damaged"):
        whole(encrypted(tmp_path / "x", plain))


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(InvalidRequest, match="cannot be read"):
        whole(tmp_path / "x")


def test_another_identity_does_not_open_it(tmp_path):
    path = write(tmp_path / "x", [Member("a", 3, [b"one"])])
    other = keys.identities(keys.new_identity(), "it")
    with pytest.raises(InvalidRequest, match="does not open"), archive.opened(path, other) as entries:
        next(entries)


def sum_of(*pieces: bytes) -> dict[str, int | str]:
    total = RowSum()
    for piece in pieces:
        total.add(piece)
    return total.record()


@given(st.lists(st.text("ab\\\t", max_size=5), max_size=8), st.randoms())
def test_rows_add_up_to_the_same_in_every_order(rows, chance):
    lines = [row.encode() + b"\n" for row in rows]
    before = sum_of(b"".join(lines))
    chance.shuffle(lines)
    assert sum_of(*lines) == before
    assert before["rows"] == len(rows)


def test_another_row_one_more_and_one_less_are_seen():
    one = sum_of(b"a\nb\n")
    assert one not in [sum_of(b"a\nc\n"), sum_of(b"a\nb\nb\n"), sum_of(b"a\n"), sum_of(b"ab\n"), sum_of(b"a\nb\n\n")]
