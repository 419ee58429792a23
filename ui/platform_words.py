"""Ad platforms in words: their names, the rights they give, and what their errors mean, in the visitor's language."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from adloom.errors import Actor
from adloom.platforms.advice import NAMES, Advice, advice
from ui.i18n import _

PLATFORMS = ("google", "meta", "tiktok")


def name_of(platform: str) -> str:
    """Google Ads, Meta, TikTok."""
    return NAMES.get(platform, platform)


def explained(platform: str, code: str, platform_code: str = "") -> Advice:
    """What happened and what to do next, of an error as it is stored."""
    found = advice(platform, code, platform_code)
    return replace(found, happened=_(found.happened), step=_(found.step)).named(platform)


def who_acts(acts: Actor) -> str:
    """Whose turn it is."""
    return {
        Actor.NOBODY: _("nobody: it passes by itself"),
        Actor.USER: _("somebody with access at the platform"),
        Actor.OPERATOR: _("whoever runs this installation"),
        Actor.DEVELOPER: _("Adloom's makers"),
    }.get(acts, _("an administrator"))


@dataclass(frozen=True)
class Right:
    """A right at a platform: any of `scopes` gives it. `extra` is what asks for it; empty: reading needs it."""

    words: str
    scopes: frozenset[str]
    extra: str = ""

    def is_in(self, scopes: Collection[str]) -> bool:
        return not self.scopes.isdisjoint(scopes)


def rights(platform: str) -> list[Right]:
    """What a connection of this platform may be allowed to do."""
    read = _("Read campaigns, ads and their numbers")
    known = {
        "google": [Right(read, frozenset({"https://www.googleapis.com/auth/adwords"}))],
        "meta": [
            Right(read, frozenset({"ads_read", "ads_management"})),
            Right(_("Receive leads of forms"), frozenset({"leads_retrieval"}), "leads"),
        ],
        "tiktok": [
            Right(_("Read reports"), frozenset({"4"})),
            Right(_("Read campaigns, ad groups and ads"), frozenset({"2", "200", "210", "220"})),
        ],
    }
    return known.get(platform, [])


def missing(platform: str, scopes: Collection[str], extras: Collection[str] = ()) -> list[Right]:
    """The rights that are needed and were not given."""
    return [
        right for right in rights(platform) if (not right.extra or right.extra in extras) and not right.is_in(scopes)
    ]
