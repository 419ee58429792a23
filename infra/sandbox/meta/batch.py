"""Batch requests: up to fifty calls in one POST to the root."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from infra.sandbox.meta.errors import GraphError

MOST_CALLS = 50


class Part(msgspec.Struct):
    """One call of a batch. `relative_url` has neither version nor leading slash."""

    method: str
    relative_url: str
    body: str = ""
    name: str = ""

    def path_and_params(self) -> tuple[str, dict[str, str]]:
        """Path and parameters; those of the body win."""
        split = urlsplit(self.relative_url.lstrip("/"))
        params = dict(parse_qsl(split.query, keep_blank_values=True))
        return split.path.strip("/"), {**params, **dict(parse_qsl(self.body, keep_blank_values=True))}


def parts(text: str) -> list[Part]:
    """The calls of a batch; GraphError for a batch that is none."""
    try:
        found = msgspec.json.decode(text, type=list[Part])
    except msgspec.DecodeError:
        raise GraphError(400, 100, "(#100) param batch must be an array.") from None
    if len(found) > MOST_CALLS:
        message = f"Too many requests in batch message. Maximum batch size is {MOST_CALLS}"
        raise GraphError(400, 100, message, "GraphBatchException")
    return found


def part_answer(status: int, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """One entry of the batch's answer; its body is JSON text inside JSON."""
    return {
        "code": status,
        "headers": [{"name": name, "value": value} for name, value in headers.items()],
        "body": body.decode(),
    }
