"""What people see of an ad, as TikTok has it: texts, page, and the ids of images and videos in the account's library.

An ad of the kind `single_image` has an image, another a video, whose cover is the image of the facts folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from infra.sandbox.facts.model import EntityRow

_IMAGE_KIND = "single_image"
_TEXT_FIELDS = frozenset({"ad_text", "primary_text", "text", "body"})
_NAME_FIELDS = frozenset({"display_name"})


def texts(row: EntityRow | None, fields: frozenset[str] = _TEXT_FIELDS) -> list[str]:
    """The texts that TikTok has a place for."""
    return [text.text for text in (row.texts if row else ()) if text.field in fields]


def image_id(row: EntityRow | None) -> str | None:
    """The image's id in the account's library."""
    if row is None or not row.image_url or row.kind.lower() != _IMAGE_KIND:
        return None
    return f"ad-site-i18n-sg/{_hash(row.image_url)}"


def video_id(row: EntityRow | None) -> str | None:
    """The video's id in the account's library."""
    if row is None or not row.image_url or row.kind.lower() == _IMAGE_KIND:
        return None
    return f"v10033g50000{_hash(row.image_url)}"


def _hash(url: str) -> str:
    return hashlib.blake2b(url.encode(), digest_size=10).hexdigest()


# The fields of an ad that the folder fills.
FIELDS: dict[str, Callable[[EntityRow | None], Any]] = {
    "ad_text": lambda row: next(iter(texts(row)), None),
    # Only of ads that TikTok puts together itself are there several.
    "ad_texts": lambda row: texts(row) if len(texts(row)) > 1 else None,
    "display_name": lambda row: next(iter(texts(row, _NAME_FIELDS)), None),
    "landing_page_url": lambda row: (row.final_url or None) if row else None,
    "image_ids": lambda row: [one] if (one := image_id(row)) else None,
    "video_id": video_id,
    "ad_format": lambda row: "SINGLE_IMAGE" if image_id(row) else "SINGLE_VIDEO",
}
