"""What people see of ads and asset groups: texts, images, pages, labels, and what Google's review says of them.

An ad of the folder is of the type that its `kind` names; without one it is a responsive search ad, or a responsive
display ad where it has an image. A field that its type has no place for is not served.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from infra.sandbox.facts.model import Account, EntityRow, Level
from infra.sandbox.facts.status import own_status
from infra.sandbox.google.nodes import Asset, Getter, Label, Node, resource

MAX = "performance_max"
_MAX_KINDS = frozenset({MAX, "pmax"})
_APPROVED = {"rejected": "DISAPPROVED", "limited": "APPROVED_LIMITED"}
_APPROVALS = frozenset({"APPROVED", "APPROVED_LIMITED", "AREA_OF_INTEREST_ONLY", "DISAPPROVED"})
_REVIEWS = frozenset({"REVIEW_IN_PROGRESS", "UNDER_APPEAL", "ELIGIBLE_MAY_SERVE"})
_PENDING = frozenset({"pending", "in_review", "pending_review"})
# The places of texts in an ad, and how a folder may call them.
_FIELDS = {
    "HEADLINE": frozenset({"headline", "headlines", "title"}),
    "LONG_HEADLINE": frozenset({"long_headline"}),
    "DESCRIPTION": frozenset({"description", "descriptions", "body"}),
    "BUSINESS_NAME": frozenset({"business_name"}),
}
_SEARCH, _DISPLAY, _IMAGE = "RESPONSIVE_SEARCH_AD", "RESPONSIVE_DISPLAY_AD", "IMAGE_AD"
_TYPES = frozenset({_SEARCH, _DISPLAY, _IMAGE, "DEMAND_GEN_MULTI_ASSET_AD"})
_PRIMARY = {"active": "ELIGIBLE", "paused": "PAUSED", "archived": "PAUSED", "deleted": "REMOVED"}


def is_max(row: EntityRow | None) -> bool:
    """Whether a campaign is of Performance Max, which has asset groups in place of ad groups and ads."""
    return row is not None and row.kind.lower() in _MAX_KINDS


def labels_of(account: Account) -> list[Label]:
    """Every label that an object of the account has."""
    objects = (*account.campaigns.values(), *account.adgroups.values(), *account.ads.values())
    names = {name for one in objects if one.row for name in one.row.labels}
    return [_label(name) for name in sorted(names)]


def assets_of(row: EntityRow | None) -> Iterator[Asset]:
    """The texts, in their order, and the image of an ad or an asset group."""
    for text in row.texts if row else ():
        field = next((field for field, names in _FIELDS.items() if text.field in names), None)
        if field is not None:
            yield Asset(_number(text.text), field, text=text.text)
    if row and row.image_url:
        yield Asset(_number(row.image_url), "MARKETING_IMAGE", url=row.image_url)


def images_of(account: Account) -> list[Asset]:
    """The images of the account, each once."""
    objects = (*account.adgroups.values(), *account.ads.values())
    found = {asset.id: asset for one in objects for asset in assets_of(one.row) if asset.url}
    return list(found.values())


def _number(text: str) -> int:
    return zlib.crc32(text.encode()) + 1


def _label(name: str) -> Label:
    return Label(_number(name), name)


def _labels(level: Level) -> Getter:
    def get(node: Node) -> list[str]:
        row = node.row(level)
        return [f"customers/{node.customer.id}/labels/{_label(name).id}" for name in (row.labels if row else ())]

    return get


def _type(node: Node) -> str:
    row = node.row("ad")
    kind = row.kind.upper() if row else ""
    if kind in _TYPES:
        return kind
    return _DISPLAY if row and row.image_url else _SEARCH


def _texts(kind: str, field: str) -> Getter:
    """The texts of a place in ads of one type."""

    def get(node: Node) -> list[dict[str, str]] | None:
        if _type(node) != kind:
            return None
        return [{"text": asset.text} for asset in assets_of(node.row("ad")) if asset.field_type == field]

    return get


def _one(texts: Getter) -> Getter:
    def get(node: Node) -> Any:
        found = texts(node)
        return found[0] if found else None

    return get


def _word(texts: Getter) -> Getter:
    def get(node: Node) -> Any:
        found = texts(node)
        return found[0]["text"] if found else None

    return get


def _images(kind: str) -> Getter:
    def get(node: Node) -> list[dict[str, str]] | None:
        if _type(node) != kind:
            return None
        found = [asset for asset in assets_of(node.row("ad")) if asset.url]
        return [{"asset": f"customers/{node.customer.id}/assets/{asset.id}"} for asset in found]

    return get


def _image_url(node: Node) -> str | None:
    row = node.row("ad")
    return row.image_url if row and row.image_url and _type(node) == _IMAGE else None


def _final_urls(level: Level) -> Getter:
    def get(node: Node) -> list[str]:
        row = node.row(level)
        return [row.final_url] if row and row.final_url else []

    return get


def _approval(node: Node) -> str | None:
    row = node.row("ad")
    word = row.review_status if row else ""
    found = _APPROVED.get(word.lower(), word.upper())
    return found if found in _APPROVALS else None


def _review(node: Node) -> str | None:
    row = node.row("ad")
    if row is None or not row.review_status:
        return None
    if row.review_status.lower() in _PENDING:
        return "REVIEW_IN_PROGRESS"
    return row.review_status.upper() if row.review_status.upper() in _REVIEWS else "REVIEWED"


def _topics(node: Node) -> list[dict[str, str]]:
    row = node.row("ad")
    if row is None or not row.review_reason:
        return []
    return [{"topic": row.review_reason, "type_": "PROHIBITED" if _approval(node) == "DISAPPROVED" else "LIMITED"}]


def _primary(node: Node) -> str:
    if _reasons(node):
        return "NOT_ELIGIBLE"
    return _PRIMARY[own_status(node.row("ad_group"), node.now)]


def _reasons(node: Node) -> list[str]:
    row = node.row("ad_group")
    word = row.review_status.lower() if row else ""
    if word in _PENDING:
        return ["ASSET_GROUP_UNDER_REVIEW"]
    return ["ASSET_GROUP_DISAPPROVED"] if _APPROVED.get(word, word.upper()) == "DISAPPROVED" else []


def _part(kind: type[Any], name: str) -> Getter:
    def get(node: Node) -> Any:
        if not isinstance(node.part, kind):
            raise TypeError(f"no {kind.__name__} is here")
        return getattr(node.part, name) or None

    return get


def _places(kind: str, path: str) -> dict[str, Getter]:
    """Headlines, descriptions and images of the ad types that have several of each."""
    return {
        f"ad_group_ad.ad.{path}.headlines": _texts(kind, "HEADLINE"),
        f"ad_group_ad.ad.{path}.descriptions": _texts(kind, "DESCRIPTION"),
        f"ad_group_ad.ad.{path}.business_name": _word(_texts(kind, "BUSINESS_NAME")),
        f"ad_group_ad.ad.{path}.marketing_images": _images(kind),
    }


CREATIVES: dict[str, Getter] = {
    "campaign.labels": _labels("campaign"),
    "ad_group.labels": _labels("ad_group"),
    "ad_group_ad.labels": _labels("ad"),
    "ad_group_ad.ad.type": _type,
    "ad_group_ad.ad.final_urls": _final_urls("ad"),
    "ad_group_ad.ad.responsive_search_ad.headlines": _texts(_SEARCH, "HEADLINE"),
    "ad_group_ad.ad.responsive_search_ad.descriptions": _texts(_SEARCH, "DESCRIPTION"),
    **_places(_DISPLAY, "responsive_display_ad"),
    "ad_group_ad.ad.responsive_display_ad.long_headline": _one(_texts(_DISPLAY, "LONG_HEADLINE")),
    **_places("DEMAND_GEN_MULTI_ASSET_AD", "demand_gen_multi_asset_ad"),
    "ad_group_ad.ad.image_ad.image_url": _image_url,
    "ad_group_ad.policy_summary.approval_status": _approval,
    "ad_group_ad.policy_summary.review_status": _review,
    "ad_group_ad.policy_summary.policy_topic_entries": _topics,
    "label.resource_name": lambda node: f"customers/{node.customer.id}/labels/{_part(Label, 'id')(node)}",
    "label.id": _part(Label, "id"),
    "label.name": _part(Label, "name"),
    "label.status": lambda _: "ENABLED",
    "asset.resource_name": lambda node: f"customers/{node.customer.id}/assets/{_part(Asset, 'id')(node)}",
    "asset.id": _part(Asset, "id"),
    "asset.type": lambda node: "IMAGE" if _part(Asset, "url")(node) else "TEXT",
    "asset.text_asset.text": _part(Asset, "text"),
    "asset.image_asset.full_size.url": _part(Asset, "url"),
    "asset_group_asset.resource_name": lambda node: (
        f"customers/{node.customer.id}/assetGroupAssets/{node.of('ad_group').id}~{_part(Asset, 'id')(node)}~"
        f"{_part(Asset, 'field_type')(node)}"
    ),
    "asset_group_asset.asset_group": resource("assetGroups", "ad_group"),
    "asset_group_asset.asset": lambda node: f"customers/{node.customer.id}/assets/{_part(Asset, 'id')(node)}",
    "asset_group_asset.field_type": _part(Asset, "field_type"),
    "asset_group_asset.status": lambda _: "ENABLED",
    "asset_group.final_urls": _final_urls("ad_group"),
    "asset_group.primary_status": _primary,
    "asset_group.primary_status_reasons": _reasons,
}
