"""Ad platforms in words: their names, the rights they give, and what their errors mean, in the visitor's language."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from adloom.platforms import scopes
from adloom.platforms.advice import NAMES, Advice, advice
from adloom.platforms.advice_codes import FAMILIES, OWN_CODES
from ui.i18n import _

PLATFORMS = ("google", "meta", "tiktok")
# The codes of problems that are about an ad platform.
PLATFORM_CODES = frozenset({*OWN_CODES, *FAMILIES})


def name_of(platform: str) -> str:
    """Google Ads, Meta, TikTok."""
    return NAMES.get(platform, platform)


def explained(platform: str, code: str, platform_code: str = "") -> Advice:
    """What happened and what to do next, of an error as it is stored."""
    found = advice(platform, code, platform_code)
    return replace(found, happened=_(found.happened), step=_(found.step)).named(platform)


@dataclass(frozen=True)
class Right:
    """A right at a platform. `scopes`: one of each of these gives it. `extra` asks for it; empty: reading needs it."""

    words: str
    scopes: tuple[Collection[str], ...]
    extra: str = ""

    def is_in(self, given: Collection[str]) -> bool:
        return all(set(either) & set(given) for either in self.scopes)


def rights(platform: str) -> list[Right]:
    """What a connection of this platform may be allowed to do."""
    read = _("Read campaigns, ads and their numbers")
    known = {
        "google": [Right(read, ({scopes.GOOGLE_ADS},))],
        "meta": [
            Right(read, (scopes.META_READS,)),
            Right(_("Receive leads of forms"), tuple({scope} for scope in scopes.META_LEADS), "leads"),
        ],
        "tiktok": [
            Right(_("Read reports"), ({str(scopes.TIKTOK_REPORTING)},)),
            Right(_("Read campaigns, ad groups and ads"), ({str(scope) for scope in scopes.TIKTOK_ANY_ADS},)),
        ],
    }
    return known.get(platform, [])


def conversion_words(platform: str, name: str) -> str:
    """What is counted by a platform's name of it; a name that is not known here says itself."""
    known = {
        "google": {
            "conversions": _("Primary conversion actions"),
            "all_conversions": _("All conversion actions, secondary ones too"),
        },
        "meta": {
            "omni_purchase": _("Purchases: website, app and shop"),
            "lead": _("Leads"),
            "omni_add_to_cart": _("Items put into the basket"),
            "omni_initiated_checkout": _("Checkouts begun"),
            "omni_complete_registration": _("Registrations"),
        },
        "tiktok": {
            "conversion": _("What each ad group is optimised for"),
            "complete_payment": _("Payments on the website"),
            "total_purchase": _("Purchases in the app"),
            "onsite_shopping": _("Purchases on TikTok itself"),
            "total_sales_lead": _("Sales leads"),
        },
    }
    return known.get(platform, {}).get(name, name)


def level_labels(platforms: Collection[str]) -> dict[str, str]:
    """The levels as these platforms call them: one, then its word. Only Meta says ad set."""
    groups = _("Ad sets") if set(platforms) == {"meta"} else _("Ad groups")
    return {"campaign": _("Campaigns"), "ad_group": groups, "ad": _("Ads")}


def level_label(level: str, platforms: Collection[str]) -> str:
    """The same of one of them."""
    group = _("Ad set") if set(platforms) == {"meta"} else _("Ad group")
    return {"campaign": _("Campaign"), "ad_group": group, "ad": _("Ad")}[level]


def missing(platform: str, given: Collection[str], extras: Collection[str] = ()) -> list[Right]:
    """The rights that are needed and were not given."""
    return [
        right for right in rights(platform) if (not right.extra or right.extra in extras) and not right.is_in(given)
    ]
