"""The rights that are asked for at each platform, and which of them a grant lacks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

# Meta: reading insights, and those accounts that belong to a business; publishing will ask for ads_management.
META_READ = ("ads_read", "business_management")
# One of these suffices to read.
META_READS = frozenset({"ads_read", "ads_management"})
# For the leads of forms: pages, their forms, and that Meta tells us of new ones.
META_LEADS = (
    *("pages_show_list", "pages_read_engagement", "pages_manage_ads"),
    *("pages_manage_metadata", "leads_retrieval"),
)
# What lets Meta tell us of an ad account.
META_WRITE = "ads_management"
# What is told then: of a page, and of an account.
META_PAGE_FIELDS = ("leadgen",)
META_ACCOUNT_FIELDS = ("in_process_ad_objects", "with_issues_ad_objects")

GOOGLE_ADS = "https://www.googleapis.com/auth/adwords"

# TikTok's portal has numbers: reporting, and one of those that let campaigns, ad groups and ads be read.
TIKTOK_REPORTING = 4
TIKTOK_ADS = 2
TIKTOK_ANY_ADS = frozenset({TIKTOK_ADS, 200, 210, 220})


def missing(platform: str, scopes: Collection[str], extras: Collection[str]) -> tuple[str, ...]:
    """What has to be granted besides, for reading and for the extras."""
    return _MISSING[platform](scopes, extras)


def _of_google(scopes: Collection[str], _extras: Collection[str]) -> tuple[str, ...]:
    return () if GOOGLE_ADS in scopes else (GOOGLE_ADS,)


def _of_meta(scopes: Collection[str], extras: Collection[str]) -> tuple[str, ...]:
    reading = () if META_READS.intersection(scopes) else (META_READ[0],)
    leads = META_LEADS if "leads" in extras else ()
    return (*reading, *(scope for scope in leads if scope not in scopes))


def _of_tiktok(scopes: Collection[str], _extras: Collection[str]) -> tuple[str, ...]:
    reporting = () if str(TIKTOK_REPORTING) in scopes else (str(TIKTOK_REPORTING),)
    has_ads = {str(scope) for scope in TIKTOK_ANY_ADS}.intersection(scopes)
    return reporting if has_ads else (*reporting, str(TIKTOK_ADS))


_MISSING: Mapping[str, Callable[[Collection[str], Collection[str]], tuple[str, ...]]] = {
    "google": _of_google,
    "meta": _of_meta,
    "tiktok": _of_tiktok,
}
