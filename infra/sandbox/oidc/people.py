"""The people who can be chosen, one for each thing that may become of somebody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SUBJECT_PREFIX = "sandbox-"


@dataclass(frozen=True)
class Person:
    """`about` says on the page what to expect."""

    key: str
    name: str
    email: str
    verified: bool
    about: str

    @property
    def claims(self) -> dict[str, Any]:
        return {
            "sub": SUBJECT_PREFIX + self.key,
            "name": self.name,
            "email": self.email,
            "email_verified": self.verified,
        }


PEOPLE = {
    person.key: person
    for person in (
        Person("nora", "Nora Newman", "nora@adloom.local", verified=True, about="New here: becomes a viewer"),
        Person(
            "owner",
            "Olive Owner",
            "owner@adloom.local",
            verified=True,
            about="Has an account here, and links it there first",
        ),
        Person(
            "guest", "Greta Guest", "greta@elsewhere.example", verified=True, about="Of a domain that is not let in"
        ),
        Person("doubt", "Dan Doubt", "dan@adloom.local", verified=False, about="An address that nobody has verified"),
    )
}
