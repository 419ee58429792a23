"""What people see of ads, and what TikTok's review says of them: asked for beside the list of ads.

The list has ids of images and videos, and says of a review only that one holds an ad back. Addresses and reasons are
asked for by ids, many at a time, and remembered for as long as a process lives: they hardly ever change.
https://business-api.tiktok.com/portal/docs?id=1740051721711618
https://business-api.tiktok.com/portal/docs?id=1740050161973250
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec

from adloom import logs
from adloom.errors import AccountInaccessible, ConnectionBroken, OperatorMustAct, PlatformError, PlatformRejected
from adloom.platforms import smaller
from adloom.platforms.tiktok import errors
from adloom.platforms.tiktok.client import Envelope, TikTokClient
from adloom.platforms.tiktok.entities import ObjectNode
from adloom.platforms.tiktok.memory import Memory
from adloom.platforms.tiktok.smart import SmartAd

# Ids of one question.
MAX_REVIEWS, MAX_IMAGES, MAX_VIDEOS = 100, 100, 60
# A question is divided where TikTok knows one of its ids no more; one that it always refuses is not asked on and on.
MOST_REFUSALS = 12
# Of a review that has begun the list of ads tells, by the words that follow AD_STATUS_.
_IN_REVIEW = frozenset({"AUDIT", "REAUDIT"})
_STATUS = "AD_STATUS_"

log = logs.get(__name__)
Q = TypeVar("Q")
V = TypeVar("V")


class Shown(NamedTuple):
    """What the list of ads does not say by itself. `review_status` is TikTok's word."""

    texts: tuple[tuple[str, str], ...] = ()
    final_url: str | None = None
    image_url: str | None = None
    review_status: str | None = None
    review_reason: str | None = None


class _Reject(msgspec.Struct):
    reasons: list[str] | None = None


class _Review(msgspec.Struct):
    review_status: str | None = None
    reject_info: list[_Reject] | None = None
    smart_plus_ad_id: str = ""

    def said(self) -> tuple[str | None, str | None]:
        """The status, and every reason once."""
        reasons = (reason for info in self.reject_info or () for reason in info.reasons or ())
        return self.review_status or None, "; ".join(dict.fromkeys(reasons)) or None


class _Reviews(msgspec.Struct):
    ad_review_map: dict[str, _Review] | None = None


class _SmartReviews(msgspec.Struct):
    smart_plus_ad_review_infos: list[_Review] | None = None


class _Image(msgspec.Struct):
    image_id: str
    image_url: str | None = None


class _Video(msgspec.Struct):
    video_id: str
    video_cover_url: str | None = None


class _Images(msgspec.Struct):
    rows: list[_Image] = msgspec.field(name="list")


class _Videos(msgspec.Struct):
    rows: list[_Video] = msgspec.field(name="list")


class _Question(NamedTuple):
    """How details of some ids are asked for. `read` gives the details of an answer by id."""

    path: str
    name: str
    most: int
    decoder: msgspec.json.Decoder[Any]
    read: Callable[[Any], Iterable[tuple[str, Any]]]
    more: Mapping[str, object] = {}


_REVIEWS = _Question(
    "ad/review_info/", "ad_ids", MAX_REVIEWS, msgspec.json.Decoder(Envelope[_Reviews]),
    lambda data: ((ad_id, one.said()) for ad_id, one in (data.ad_review_map or {}).items()),
)  # fmt: skip
_SMART_REVIEWS = _Question(
    "smart_plus/ad/review_info/", "smart_plus_ad_ids", MAX_REVIEWS, msgspec.json.Decoder(Envelope[_SmartReviews]),
    lambda data: ((one.smart_plus_ad_id, one.said()) for one in data.smart_plus_ad_review_infos or ()),
    {"extra_info_setting": {"include_reject_info": True}},
)  # fmt: skip
_IMAGES = _Question(
    "file/image/ad/info/", "image_ids", MAX_IMAGES, msgspec.json.Decoder(Envelope[_Images]),
    lambda data: ((one.image_id, one.image_url) for one in data.rows),
)  # fmt: skip
_VIDEOS = _Question(
    "file/video/ad/info/", "video_ids", MAX_VIDEOS, msgspec.json.Decoder(Envelope[_Videos]),
    lambda data: ((one.video_id, one.video_cover_url) for one in data.rows),
)  # fmt: skip


class Creatives:
    """Looks up what the list of ads leaves out. What TikTok refuses for good keeps no ad from being stored."""

    def __init__(self, client: TikTokClient, memory: Memory) -> None:
        self._client = client
        self._memory = memory
        self._refusals: dict[str, int] = {}

    def shown(self, account_id: str, ads: list[ObjectNode], smart: Mapping[str, SmartAd]) -> Iterator[Shown]:
        """Of each ad, in their order; `smart` are those that TikTok tells of elsewhere."""
        stamps = {ad.key: f"{ad.modify_time} {ad.secondary_status}" for ad in ads}
        plain = {ad_id: stamp for ad_id, stamp in stamps.items() if ad_id not in smart}
        of_smart = {ad_id: stamp for ad_id, stamp in stamps.items() if ad_id in smart}
        reviews = self._known(account_id, _REVIEWS, plain) | self._known(account_id, _SMART_REVIEWS, of_smart)
        media = {ad.key: smart[ad.key].media if ad.key in smart else _media(ad) for ad in ads}
        images = self._known(account_id, _IMAGES, {one: "" for one, _ in media.values() if one})
        # Where an ad has an image of its own, nobody needs its video's cover.
        videos = self._known(account_id, _VIDEOS, {one: "" for image, one in media.values() if one and not image})
        for ad in ads:
            image, video = media[ad.key]
            status, reason = reviews.get(ad.key) or (_in_review(ad), None)
            told = smart.get(ad.key)
            yield Shown(
                told.texts if told else _texts(ad),
                (told.final_url if told else ad.landing_page_url) or None,
                images.get(image) if image else videos.get(video) if video else None,
                status,
                reason,
            )

    def _known(self, account_id: str, question: _Question, stamps: Mapping[str, str]) -> dict[str, Any]:
        """Details by id. One with the stamp of before has those of before."""
        found, unknown = self._memory.recall(question.path, account_id, stamps, time.monotonic())
        for some in smaller.chunks(unknown, question.most):
            for asked, answer in self._asked(account_id, question, some):
                details = dict(question.read(answer))
                # Of some there is nothing to tell: that is an answer, too.
                new = {one: details.get(one) for one in asked}
                self._memory.keep(
                    question.path, account_id, {one: (stamps[one], new[one]) for one in asked}, time.monotonic()
                )
                found |= new
        return found

    def _asked(self, account_id: str, question: _Question, ids: list[str]) -> Iterator[tuple[list[str], Any]]:
        """The answers for some ids, by halves where one of them refuses the others."""
        if self._refusals.get(question.path, 0) > MOST_REFUSALS:
            return
        try:
            asked = {"advertiser_id": account_id, question.name: ids, **question.more}
            answer = self._client.get(question.path, asked, question.decoder)
        except PlatformError as error:
            if not _is_lasting(error):
                raise
            is_whole = not isinstance(error, PlatformRejected)
            self._refusals[question.path] = MOST_REFUSALS + 1 if is_whole else self._refusals.get(question.path, 0) + 1
            log.warning("tiktok_details_refused", path=question.path, external_id=account_id, reason=error.detail)
            if len(ids) > 1:
                yield from self._asked(account_id, question, ids[: len(ids) // 2])
                yield from self._asked(account_id, question, ids[len(ids) // 2 :])
        else:
            yield ids, answer.data


def _is_lasting(error: PlatformError) -> bool:
    """Whether TikTok will say so again: a right that was not given for this, or an id that it does not know."""
    if isinstance(error, ConnectionBroken):
        return error.platform_code in errors.MISSING_RIGHTS
    return isinstance(error, (PlatformRejected, OperatorMustAct, AccountInaccessible))


def _media(ad: ObjectNode) -> tuple[str | None, str | None]:
    return next(iter(ad.image_ids or ()), None), ad.video_id or None


def _texts(ad: ObjectNode) -> tuple[tuple[str, str], ...]:
    texts = [ad.ad_text, *(ad.ad_texts or ())]
    found = [("ad_text", text) for text in dict.fromkeys(texts) if text]
    return (*found, *((("display_name", ad.display_name),) if ad.display_name else ()))


def _in_review(ad: ObjectNode) -> str | None:
    word = (ad.secondary_status or "").removeprefix(_STATUS)
    return word if word in _IN_REVIEW else None
