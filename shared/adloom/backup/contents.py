"""What the members of a backup are called and hold.

header.json              what the backup is of, and which keys its tokens need
tables/<table>/<number>  rows in COPY's text format, whole ones, in pieces of about a megabyte
objects/<number>         an object of the bucket; its key stands in the tar's own header
manifest.json            what all of it must add up to; the last member
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from adloom.backup import archive
from adloom.backup.archive import Member
from adloom.errors import InvalidRequest

# Counts up when an older program could not read a file of a newer one.
FORMAT = 1
HEADER, MANIFEST = "header.json", "manifest.json"
TABLES, OBJECTS = "tables/", "objects/"


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Header(_Document):
    """`made_at`: ISO, UTC. `tables`: name -> columns, in an order in which foreign keys find what they name.

    `key_rings`: ring -> a fingerprint of each of its keys.
    """

    format: int
    adloom: str
    made_at: str
    revision: str
    server: str
    tables: dict[str, list[str]]
    key_rings: dict[str, list[str]]


class TableSum(_Document):
    """`sum`: see rowsum.py."""

    rows: int
    bytes: int
    sum: str


class ObjectSum(_Document):
    """`sum`: SHA-256 over key, size and SHA-256 of each object in their order."""

    count: int = 0
    bytes: int = 0
    sum: str = ""


class Position(_Document):
    """Where a sequence stands."""

    last_value: int
    is_called: bool


class Manifest(_Document):
    tables: dict[str, TableSum]
    sequences: dict[str, Position]
    objects: ObjectSum


D = TypeVar("D", bound=_Document)


def member(name: str, document: _Document) -> Member:
    body = document.model_dump_json(indent=1).encode()
    return Member(name, len(body), [body])


def parse(model: type[D], body: bytes) -> D:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise archive.damaged("what it says of itself cannot be read") from error


def check_format(header: Header) -> None:
    """InvalidRequest for a file that only a newer Adloom understands."""
    if header.format > FORMAT:
        raise InvalidRequest(
            f"This backup was made by Adloom {header.adloom}, and its format is newer than this Adloom "
            f"({own_version()}) reads. Install that version first",
            code="backup_too_new",
        )


def own_version() -> str:
    try:
        return version("adloom")
    except PackageNotFoundError:  # run from its folder without being installed
        return "unknown"
