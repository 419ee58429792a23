"""JSON as we accept it: one meaning, and nothing that Postgres or a second reader would take differently."""

from __future__ import annotations

import json
from typing import Any, NoReturn

# Deeper nesting than any request of ours has; far below the interpreter's recursion limit.
MAX_DEPTH = 32


class InvalidJsonError(ValueError):
    """The text is no JSON that we accept; the message says why, without quoting it."""


def parse(text: bytes) -> Any:
    """Parse UTF-8 JSON; double keys, NaN, infinities, deep nesting, NUL and half surrogates are refused."""
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except InvalidJsonError:
        raise
    except UnicodeDecodeError as exc:
        raise InvalidJsonError("the text is not UTF-8") from exc
    except json.JSONDecodeError as exc:
        raise InvalidJsonError(f"{exc.msg} at line {exc.lineno}, column {exc.colno}") from exc
    except RecursionError as exc:
        raise InvalidJsonError("the nesting is too deep") from exc
    except ValueError as exc:  # an integer of more digits than Python converts
        raise InvalidJsonError("a number is too long") from exc
    _check(value, MAX_DEPTH)
    return value


def check_text(text: str) -> None:
    """Refuse what UTF-8 or a Postgres text cannot hold."""
    if "\0" in text:
        raise InvalidJsonError("a string holds a NUL character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise InvalidJsonError("a string holds half a surrogate pair") from exc


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise InvalidJsonError("an object has the same key twice")
    return result


def _constant(_: str) -> NoReturn:
    raise InvalidJsonError("NaN and infinities are no numbers in JSON")


def _check(value: Any, depth: int) -> None:
    if depth == 0:
        raise InvalidJsonError("the nesting is too deep")
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth - 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            check_text(key)
            _check(item, depth - 1)
