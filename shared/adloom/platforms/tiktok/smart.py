"""Ads of Upgraded Smart+: TikTok puts them together itself, and tells of their texts, pages and media elsewhere.

https://business-api.tiktok.com/portal/docs?id=1843317378982914
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from adloom import logs
from adloom.errors import PlatformRejected
from adloom.platforms import smaller
from adloom.platforms.tiktok import pages
from adloom.platforms.tiktok.client import Envelope, TikTokClient
from adloom.platforms.tiktok.pages import Page

PATH = "smart_plus/ad/get/"
UPGRADED = "UPGRADED_SMART_PLUS"
MAX_CAMPAIGNS = 100

log = logs.get(__name__)


class _Text(msgspec.Struct):
    ad_text: str | None = None


class _Url(msgspec.Struct):
    landing_page_url: str | None = None


class _ImageInfo(msgspec.Struct):
    web_uri: str | None = None


class _VideoInfo(msgspec.Struct):
    video_id: str | None = None


class _Info(msgspec.Struct):
    image_info: list[_ImageInfo] | None = None
    video_info: _VideoInfo | None = None


class _Creative(msgspec.Struct):
    creative_info: _Info | None = None


class SmartAd(msgspec.Struct):
    """An ad with all that TikTok may make it of."""

    smart_plus_ad_id: str
    ad_text_list: list[_Text] | None = None
    landing_page_url_list: list[_Url] | None = None
    creative_list: list[_Creative] | None = None

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Every text once, in TikTok's order."""
        found = dict.fromkeys(one.ad_text for one in self.ad_text_list or ())
        return tuple(("ad_text", text) for text in found if text)

    @property
    def final_url(self) -> str | None:
        """The first page."""
        return next((one.landing_page_url for one in self.landing_page_url_list or () if one.landing_page_url), None)

    @property
    def media(self) -> tuple[str | None, str | None]:
        """The ids of the first image and the first video."""
        infos = [one.creative_info for one in self.creative_list or () if one.creative_info]
        image = next((one.web_uri for info in infos for one in info.image_info or () if one.web_uri), None)
        video = next((info.video_info.video_id for info in infos if info.video_info and info.video_info.video_id), None)
        return image, video


_decoder = msgspec.json.Decoder(Envelope[Page[SmartAd]])


def ads(client: TikTokClient, account_id: str, campaign_ids: Iterable[str], status: str) -> dict[str, SmartAd]:
    """The ads of such campaigns by id. An app that may not ask for them has the ads without these details."""
    found: dict[str, SmartAd] = {}
    try:
        for some in smaller.chunks(campaign_ids, MAX_CAMPAIGNS):
            asked = {"advertiser_id": account_id, "filtering": {"primary_status": status, "campaign_ids": some}}
            for page in pages.walk(client, PATH, asked, _decoder, keys=_keys):
                found |= {ad.smart_plus_ad_id: ad for ad in page.data.rows}
    except PlatformRejected as error:
        log.warning("tiktok_without_smart_plus", external_id=account_id, reason=error.detail)
    return found


def _keys(ads_of_page: list[SmartAd]) -> list[str]:
    return [ad.smart_plus_ad_id for ad in ads_of_page]
