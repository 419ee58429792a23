"""An ad's creative and labels, from what entities.csv says that people see."""

from __future__ import annotations

import zlib
from typing import Any

from infra.sandbox.facts.model import EntityRow

# The places that Meta has for texts, by the words that a folder may use for them; any other word is the ad's main text.
_PLACES = {
    "headline": "titles",
    "title": "titles",
    "primary_text": "bodies",
    "body": "bodies",
    "description": "descriptions",
}
_IN_LINK = {"titles": "name", "bodies": "message", "descriptions": "description"}


def creative(row: EntityRow | None, ad_id: str) -> dict[str, Any]:
    """What an ad shows. Where a place has several texts they stand in `asset_feed_spec`, else in the post's link."""
    found: dict[str, Any] = {"id": f"9{ad_id}"}
    if row is None:
        return found
    texts: dict[str, list[dict[str, str]]] = {}
    for text in row.texts:
        texts.setdefault(_PLACES.get(text.field, "bodies"), []).append({"text": text.text})
    for single, place in (("title", "titles"), ("body", "bodies")):
        if place in texts:
            found[single] = texts[place][0]["text"]
    pages = {"image_url": row.image_url, "link_url": row.final_url}
    found |= {field: said for field, said in pages.items() if said}
    if any(len(some) > 1 for some in texts.values()):
        found["asset_feed_spec"] = _assets(row, texts)
    elif texts or row.final_url:
        found["object_story_spec"] = {"page_id": "1", "link_data": _link(row, texts)}
    return found


def _assets(row: EntityRow, texts: dict[str, list[dict[str, str]]]) -> dict[str, Any]:
    found: dict[str, Any] = {**texts, "ad_formats": ["SINGLE_IMAGE"]}
    if row.final_url:
        found["link_urls"] = [{"website_url": row.final_url}]
    return found


def _link(row: EntityRow, texts: dict[str, list[dict[str, str]]]) -> dict[str, Any]:
    found: dict[str, Any] = {_IN_LINK[place]: some[0]["text"] for place, some in texts.items()}
    if row.final_url:
        found["link"] = row.final_url
        found["call_to_action"] = {"type": "LEARN_MORE", "value": {"link": row.final_url}}
    if row.image_url:
        found["picture"] = row.image_url
    return found


def labels(row: EntityRow | None) -> list[dict[str, str]] | None:
    """An object's labels; one name has one id."""
    if row is None or not row.labels:
        return None
    return [{"id": f"7{zlib.crc32(name.encode()):010}", "name": name} for name in row.labels]
