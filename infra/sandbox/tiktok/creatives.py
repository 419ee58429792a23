"""The account's library of images and videos, what the review says of ads, and ads of Upgraded Smart+."""

from __future__ import annotations

from typing import Any

import msgspec

from infra.sandbox.facts.model import Account, EntityRow
from infra.sandbox.facts.status import exists
from infra.sandbox.tiktok import errors, lists
from infra.sandbox.tiktok.call import Call
from infra.sandbox.tiktok.media import image_id, texts, video_id
from infra.sandbox.tiktok.objects import Node, is_upgraded

MAX_IMAGES, MAX_VIDEOS, MAX_REVIEWS = 100, 60, 100
_REVIEWS = {
    "approved": "ALL_AVAILABLE",
    "all_available": "ALL_AVAILABLE",
    "limited": "PART_AVAILABLE",
    "part_available": "PART_AVAILABLE",
    "disapproved": "UNAVAILABLE",
    "rejected": "UNAVAILABLE",
    "unavailable": "UNAVAILABLE",
}


def images(call: Call, account: Account) -> dict[str, Any]:
    """`file/image/ad/info/`: images of the account's library; ids that are not there are left out."""
    urls = {image_id(ad.row): ad.row.image_url for ad in account.ads.values() if ad.row}
    return {
        "list": [
            {"image_id": one, "image_url": urls[one]} for one in _ids(call, "image_ids", MAX_IMAGES) if one in urls
        ]
    }


def videos(call: Call, account: Account) -> dict[str, Any]:
    """`file/video/ad/info/`: videos of the account's library, likewise."""
    urls = {video_id(ad.row): ad.row.image_url for ad in account.ads.values() if ad.row}
    return {
        "list": [
            {"video_id": one, "video_cover_url": urls[one], "displayable": True}
            for one in _ids(call, "video_ids", MAX_VIDEOS)
            if one in urls
        ]
    }


def reviews(call: Call, account: Account) -> dict[str, Any]:
    """`ad/review_info/`: by id, what the review says of ads; nothing of those that it has not looked at yet."""
    found = {ad_id: _review(node) for ad_id, node in _nodes(call, account, "ad_ids").items() if not is_upgraded(node)}
    return {"ad_review_map": {ad_id: {"ad_id": ad_id, **said} for ad_id, said in found.items() if said}}


def smart_reviews(call: Call, account: Account) -> dict[str, Any]:
    """`smart_plus/ad/review_info/`: the same of Upgraded Smart+; reasons only where they are asked for."""
    wanted = call.json("extra_info_setting", _Extra) or _Extra()
    found = []
    for ad_id, node in _nodes(call, account, "smart_plus_ad_ids").items():
        said = _review(node)
        if said and is_upgraded(node):
            reasons = said["reject_info"] if wanted.include_reject_info else None
            found.append({"smart_plus_ad_id": ad_id, "review_status": said["review_status"], "reject_info": reasons})
    return {"smart_plus_ad_review_infos": found, "material_review_infos": []}


class _Extra(msgspec.Struct):
    include_reject_info: bool = False


def smart_ads(call: Call, account: Account) -> dict[str, Any]:
    """`smart_plus/ad/get/`: a page of the ads of Upgraded Smart+ with their texts, pages and media."""
    found = lists.listed(call, account, "ad", only=is_upgraded)
    for ad in found["list"]:
        own = ad.pop("ad_id")
        ad["smart_plus_ad_id"] = own
        row = account.ads[own].row
        ad["ad_text_list"] = [{"ad_text": text} for text in texts(row)]
        ad["landing_page_url_list"] = [{"landing_page_url": row.final_url}] if row and row.final_url else []
        ad["creative_list"] = [{"creative_info": info} for info in _media(row)]
    return found


def _media(row: EntityRow | None) -> list[dict[str, Any]]:
    image, video = image_id(row), video_id(row)
    if image:
        return [{"ad_format": "CAROUSEL_ADS", "image_info": [{"web_uri": image}]}]
    return [{"ad_format": "SINGLE_VIDEO", "video_info": {"video_id": video}}] if video else []


def _review(node: Node) -> dict[str, Any] | None:
    status = _REVIEWS.get(node.row.review_status.lower()) if node.row else None
    if status is None or node.row is None:
        return None
    reason = node.row.review_reason
    return {
        "is_approved": status != "UNAVAILABLE",
        "review_status": status,
        "appeal_status": "NOT_APPEALED",
        "reject_info": [{"reasons": [reason], "suggestion": "Change the ad and send it in again."}] if reason else [],
    }


def _nodes(call: Call, account: Account, name: str) -> dict[str, Node]:
    """The ads that are named; one that is not the account's refuses the whole call."""
    found = {}
    for ad_id in _ids(call, name, MAX_REVIEWS):
        ad = account.ads.get(ad_id)
        if ad is None or not exists(account, ad, call.now):
            raise errors.parameter(f"{name}: {ad_id} does not exist.")
        found[ad_id] = Node(account, ad, call.now)
    return found


def _ids(call: Call, name: str, most: int) -> list[str]:
    found = call.words(name)
    if not found:
        raise errors.missing(name)
    if len(found) > most:
        raise errors.too_many_ids(name, most)
    return found
