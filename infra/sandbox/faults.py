"""The fault script: which requests meet which fault. Replaced as a whole through the control API."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Literal

import msgspec

Kind = Literal[
    "error",
    "html_502",
    "empty_page_with_next",
    "duplicate_page",
    "truncate",
    "hang",
    "unknown_field",
    "rate_headers",
    "delay",
    "fail_at",
    "skip",
    "stuck",
    "running_at_100",
    "null_in_batch",
    "shifted_pages",
    "few_ads",
    "too_large",
    "grpc_error",
    "small_chunks",
]
# These change how an asynchronous job goes; they meet the request that creates it.
JOB_KINDS = frozenset({"fail_at", "skip", "stuck", "running_at_100"})


class Match(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which requests. What is not given matches all.

    `path` is searched as a regular expression in the path; `level` is account, campaign, adset or adgroup, ad; `page`
    the page of a walk, from 1; `param` text that stands in one of the parameters (TikTok); `nth` the first matching
    request that meets the fault, from 1; `times` how many do from there on, null for all of them.
    """

    path: str = ""
    method: str = ""
    level: str = ""
    param: str = ""
    page: int | None = None
    nth: int = 1
    times: int | None = 1


class Fault(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What happens.

    `body` is sent byte for byte (a JSON value that is not a string is serialised), or `body_base64`. `seconds` is of
    `hang`, `delay` and `small_chunks` (between two chunks), `percent` and `error` of `fail_at`, `polls` of
    `running_at_100` (null: for good), `fields` of `unknown_field`, `rows` of `shifted_pages` (how many rows came before
    this page, negative: went), `few_ads` (how many of the newest ads a report takes), `too_large` (the most rows that a
    report may have) and `small_chunks` (rows of a chunk or page). `after` is how many rows still go out before a
    `grpc_error` or a `hang` (Google).
    """

    kind: Kind
    status: int = 400
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.Raw(b'""')
    body_base64: str = ""
    seconds: float = 0
    percent: int = 40
    error: dict[str, object] = {}
    polls: int | None = None
    rows: int = 1
    after: int = 0
    fields: dict[str, object] = msgspec.field(default_factory=lambda: {"sandbox_unknown_field": "new"})

    def body_bytes(self) -> bytes:
        """The body as it goes over the wire."""
        if self.body_base64:
            return base64.b64decode(self.body_base64, validate=True)
        raw = bytes(self.body)
        value = msgspec.json.decode(raw)
        return value.encode() if isinstance(value, str) else raw


class Entry(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One line of the script."""

    fault: Fault
    match: Match = Match()


@dataclass(frozen=True)
class Seen:
    """What a request is matched by."""

    path: str
    method: str
    level: str = ""
    page: int = 1
    creates_job: bool = False
    in_batch: bool = False
    params: str = ""


@dataclass
class _Armed:
    entry: Entry
    pattern: re.Pattern[str]
    seen: int = 0
    fired: int = 0

    def meets(self, request: Seen) -> bool:
        match, kind = self.entry.match, self.entry.fault.kind
        return (
            (kind not in JOB_KINDS or request.creates_job)
            and (kind != "null_in_batch" or request.in_batch)
            and self.pattern.search(request.path) is not None
            and match.method.upper() in ("", request.method)
            and match.level in ("", request.level)
            and match.param in request.params
            and match.page in (None, request.page)
        )

    def is_due(self) -> bool:
        match = self.entry.match
        return self.seen >= match.nth and (match.times is None or self.fired < match.times)


class ScriptError(ValueError):
    """The script cannot be read; the text says why."""


class Script:
    """The present script.

    Every line counts the requests that match it; of the lines that are due the first fires, and the next one at the
    next request.
    """

    def __init__(self) -> None:
        self._armed: list[_Armed] = []

    def replace(self, text: bytes) -> int:
        """Take a JSON list of `{"match", "fault"}`; the number of its lines. ScriptError leaves the old one."""
        try:
            entries = msgspec.json.decode(text, type=list[Entry])
            armed = [_Armed(entry, re.compile(entry.match.path)) for entry in entries]
            for entry in entries:
                entry.fault.body_bytes()
        except (msgspec.DecodeError, re.error, binascii.Error) as exc:
            raise ScriptError(str(exc)) from exc
        self._armed = armed
        return len(armed)

    def take(self, request: Seen) -> Fault | None:
        """The fault that this request meets."""
        found: Fault | None = None
        for armed in self._armed:
            if armed.meets(request):
                armed.seen += 1
                if found is None and armed.is_due():
                    armed.fired += 1
                    found = armed.entry.fault
        return found

    def state(self) -> list[dict[str, object]]:
        """Each line with the number of requests it has matched."""
        return [
            {"match": a.entry.match, "fault": a.entry.fault, "matched": a.seen, "fired": a.fired} for a in self._armed
        ]
