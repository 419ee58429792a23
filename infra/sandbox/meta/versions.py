"""Which versions of the Graph API answer."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.sandbox.meta.errors import dead_version, unknown_path

NEWEST = "v26.0"
# https://developers.facebook.com/docs/graph-api/changelog: the day from which a version is dead; None has no end yet.
_ENDS: dict[str, datetime | None] = {
    NEWEST: None,
    "v25.0": datetime(2028, 7, 29, tzinfo=UTC),
    "v24.0": datetime(2028, 2, 18, tzinfo=UTC),
    "v23.0": datetime(2027, 10, 8, tzinfo=UTC),
    "v22.0": datetime(2027, 5, 20, tzinfo=UTC),
    "v21.0": datetime(2027, 1, 21, tzinfo=UTC),
}
_NEWEST_MAJOR = 26


def check(version: str, path: str, now: datetime) -> None:
    """GraphError 2635 for a version that has ended, 2500 for one that never was."""
    if version in _ENDS:
        end = _ENDS[version]
        if end is None or now < end:
            return
    elif int(version[1:].split(".", maxsplit=1)[0]) >= _NEWEST_MAJOR:
        raise unknown_path(f"{version}/{path}")
    raise dead_version(NEWEST)
