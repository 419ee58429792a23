"""`campaign/get/`, `adgroup/get/` and `ad/get/`: objects of an account, the newest first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from infra.sandbox.facts.model import Account, Level
from infra.sandbox.facts.status import exists
from infra.sandbox.tiktok import errors, objects
from infra.sandbox.tiktok.call import MAX_PAGE_SIZE, Call, page_of
from infra.sandbox.tiktok.errors import parameter
from infra.sandbox.tiktok.objects import LEVEL_WORDS, Node

MAX_IDS = 100
# TopView campaigns come in smaller pages.
MAX_TOP_VIEW_PAGE = 100
TOP_VIEW = "RESERVATION_TOP_VIEW"
_DEFAULT_BUYING_TYPES = ("AUCTION", "RESERVATION_RF")
_ALL, _NOT_DELETED, _DELETED = "STATUS_ALL", "STATUS_NOT_DELETE", "STATUS_DELETE"
_PRIMARY = frozenset({_ALL, _NOT_DELETED, _DELETED, "STATUS_DISABLE", "STATUS_DELIVERY_OK", "STATUS_NOT_DELIVERY"})
# Fields of TikTok's that a facts folder says nothing about: accepted, and null in the answer.
_SILENT_WORDS = """
    ad_ref_pixel_id app_id app_name app_promotion_type avatar_icon_web_uri bid_price bid_type
    billing_event call_to_action call_to_action_id campaign_product_source card_id comment_disabled
    conversion_bid_price creative_authorized creative_type deep_bid_type deep_funnel_optimization_status
    deeplink deeplink_type engaged_view_attribution_window identity_id identity_type
    impression_tracking_url is_aco is_advanced_dedicated_campaign is_search_campaign
    is_smart_performance_campaign landing_page_urls objective optimization_event optimization_goal pacing
    page_id placement_type placements playable_url po_number profile_image_url promotion_type rf_campaign_type
    roas_bid rta_id schedule_end_time schedule_start_time schedule_type shopping_ads_type special_industries
    split_test_variable statistic_type tiktok_item_id tracking_pixel_id
    virtual_objective_type age_groups gender languages location_ids operating_systems
"""
SILENT = frozenset(_SILENT_WORDS.split())


class Filtering(msgspec.Struct):
    """What chooses objects; what is not here is passed over."""

    campaign_ids: list[str] | None = None
    adgroup_ids: list[str] | None = None
    ad_ids: list[str] | None = None
    primary_status: str = ""
    secondary_status: str = ""
    objective_type: str = ""
    buying_types: list[str] | None = None
    creation_filter_start_time: str = ""
    creation_filter_end_time: str = ""
    modified_after: str = ""


def listed(
    call: Call, account: Account, level: Level, *, only: Callable[[Node], bool] = lambda _: True
) -> dict[str, Any]:
    """A page of objects; deleted ones only when their state is asked for."""
    chosen: Filtering = call.json("filtering", Filtering) or Filtering()
    _check(chosen, level)
    asked = _fields(call, level)
    is_top_view = chosen.buying_types is not None and TOP_VIEW in chosen.buying_types
    found = [node for node in _found(call, account, level, chosen) if only(node)]
    page, info = page_of(call, found, MAX_TOP_VIEW_PAGE if is_top_view else MAX_PAGE_SIZE)
    with_nulls = "NULL_FIELD" not in call.words("exclude_field_types_in_response")
    return {"list": [objects.render(node, asked, with_nulls=with_nulls) for node in page], "page_info": info}


def _fields(call: Call, level: Level) -> list[str]:
    known = objects.FIELDS[level]
    asked = call.words("fields") or [*known, *sorted(SILENT)]
    for name in asked:
        if name not in known and name not in SILENT:
            raise parameter(f"fields: {name} is not a valid choice.")
    word = LEVEL_WORDS[level].lower()
    # The ids are there whatever is asked for.
    return list(dict.fromkeys(("advertiser_id", f"{word}_id", *asked)))


def _check(chosen: Filtering, level: Level) -> None:
    for name in ("campaign_ids", "adgroup_ids", "ad_ids"):
        ids = getattr(chosen, name)
        if ids is not None and len(ids) > MAX_IDS:
            raise errors.too_many_ids(f"filtering.{name}", MAX_IDS)
    if chosen.primary_status and chosen.primary_status not in _PRIMARY:
        raise parameter(f"filtering.primary_status: {chosen.primary_status} is not a valid choice.")
    if chosen.modified_after and level != "ad":
        raise parameter("filtering.modified_after: is supported for ads only.")
    if chosen.buying_types is not None and TOP_VIEW in chosen.buying_types and len(chosen.buying_types) > 1:
        raise parameter(f"filtering.buying_types: {TOP_VIEW} cannot be combined with other buying types.")


def _found(call: Call, account: Account, level: Level, chosen: Filtering) -> list[Node]:
    nodes = [
        node
        for entity in account.objects(level).values()
        if exists(account, entity, call.now)
        for node in (Node(account, entity, call.now),)
        if _accepts(node, chosen)
    ]
    # Ids grow with time, so the newest come first.
    return sorted(nodes, key=lambda node: newest_first(node.entity.id))


def newest_first(object_id: str) -> tuple[int, int, str]:
    """Sorts ids descending, numbers by their value."""
    if object_id.isdigit():
        return 0, -int(object_id), ""
    return 1, 0, object_id


def _accepts(node: Node, chosen: Filtering) -> bool:
    entity = node.entity
    ids = (
        (chosen.campaign_ids, entity.campaign_id),
        (chosen.adgroup_ids, entity.adgroup_id),
        (chosen.ad_ids, entity.id if entity.level == "ad" else ""),
    )
    if any(wanted is not None and own not in wanted for wanted, own in ids):
        return False
    if chosen.objective_type and (node.campaign.row is None or node.campaign.row.objective != chosen.objective_type):
        return False
    return (
        objects.buying_type(node) in (chosen.buying_types or _DEFAULT_BUYING_TYPES)
        and status_fits(node, chosen.primary_status, chosen.secondary_status)
        and _times_fit(node, chosen)
    )


def status_fits(node: Node, primary: str, secondary: str = "") -> bool:
    """Whether an object is in a state that is asked for; without one, whether it is not deleted."""
    state = objects.secondary_status(node)
    if secondary and not secondary.endswith("_STATUS_ALL"):
        return state == secondary
    wanted = _ALL if secondary else primary or _NOT_DELETED
    fits = {
        _ALL: True,
        _DELETED: state.endswith("_DELETE"),
        _NOT_DELETED: not state.endswith("_DELETE"),
        "STATUS_DISABLE": state.endswith("_DISABLE"),
        "STATUS_DELIVERY_OK": state.endswith(("_DELIVERY_OK", "_ENABLE")),
        "STATUS_NOT_DELIVERY": state.endswith(("_AUDIT", "_AUDIT_DENY")),
    }
    return fits[wanted]


def _times_fit(node: Node, chosen: Filtering) -> bool:
    since, until = _instant(chosen.creation_filter_start_time), _instant(chosen.creation_filter_end_time)
    born, after, changed = objects.created(node), _instant(chosen.modified_after), objects.modified(node)
    if (since is not None and born < since) or (until is not None and born > until):
        return False
    return after is None or (changed is not None and changed >= after)


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise parameter(f"{text!r} is not a time in the format YYYY-MM-DD HH:MM:SS") from None
