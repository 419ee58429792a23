"""Accounts, campaigns, ad sets and ads as Meta writes them.

https://developers.facebook.com/docs/marketing-api/reference/ad-account
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation

import msgspec

from adloom.errors import PlatformProtocolError
from adloom.platforms.meta import creatives, statuses
from adloom.platforms.meta.pages import Page
from adloom.platforms.model import Account, Entity, Level
from adloom.platforms.readable import is_currency, is_zone

# https://developers.facebook.com/docs/marketing-api/currencies: budgets in these are whole units, in all others
# hundredths, whatever ISO 4217 says.
WHOLE_UNIT_CURRENCIES = frozenset(
    {"CLP", "COP", "CRC", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "VND"}
)  # fmt: skip
_HUNDREDTHS = 100

ACCOUNT_FIELDS = "account_id,name,currency,timezone_name,account_status,created_time"
_COMMON_FIELDS = "id,name,status,effective_status,created_time,updated_time,adlabels{name},issues_info"
EDGES: dict[Level, tuple[str, str]] = {
    "campaign": ("campaigns", f"{_COMMON_FIELDS},objective,buying_type,daily_budget,lifetime_budget"),
    "ad_group": ("adsets", f"{_COMMON_FIELDS},campaign_id,daily_budget,lifetime_budget,attribution_spec"),
    "ad": ("ads", f"{_COMMON_FIELDS},adset_id,{creatives.FIELDS}"),
}


class AccountNode(msgspec.Struct):
    """An ad account."""

    account_id: str
    name: str = ""
    currency: str = ""
    timezone_name: str = ""
    account_status: int = 1
    created_time: str | None = None

    def account(self) -> Account:
        """In the words of this house."""
        if not is_currency(self.currency) or not is_zone(self.timezone_name):
            raise PlatformProtocolError(
                f"Meta's currency {self.currency!r} or time zone {self.timezone_name!r} of account {self.account_id}"
                " is not known",
                platform_code="shape",
            )
        return Account(
            external_id=self.account_id,
            name=self.name or self.account_id,
            currency=self.currency,
            timezone=self.timezone_name,
            status=statuses.of_account(self.account_status),
            created_at=_instant(self.created_time),
        )


class ObjectNode(msgspec.Struct):
    """A campaign, ad set or ad."""

    id: str
    name: str = ""
    status: str = ""
    effective_status: str = ""
    objective: str | None = None
    buying_type: str | None = None
    daily_budget: str | None = None
    lifetime_budget: str | None = None
    campaign_id: str | None = None
    adset_id: str | None = None
    created_time: str | None = None
    updated_time: str | None = None
    adlabels: msgspec.Raw = msgspec.Raw()
    issues_info: msgspec.Raw = msgspec.Raw()
    attribution_spec: msgspec.Raw = msgspec.Raw()
    creative: msgspec.Raw = msgspec.Raw()
    ad_review_feedback: msgspec.Raw = msgspec.Raw()

    def entity(self, level: Level, account: Account) -> Entity:
        """In the words of this house."""
        seen = creatives.seen(self.creative, self.id)
        review_status, review_reason = self._review(level)
        parents = {"campaign": account.external_id, "ad_group": self.campaign_id, "ad": self.adset_id}
        return Entity(
            level=level,
            external_id=self.id,
            parent_id=parents[level],
            name=self.name,
            status=statuses.of_object(self.status or self.effective_status),
            kind=self.buying_type,
            objective=self.objective,
            daily_budget=_budget(self.daily_budget, account.currency),
            lifetime_budget=_budget(self.lifetime_budget, account.currency),
            created_at=_instant(self.created_time),
            updated_at=_instant(self.updated_time),
            labels=creatives.labels(self.adlabels, self.id),
            final_url=seen.final_url,
            image_url=seen.image_url,
            texts=seen.texts,
            review_status=review_status,
            review_reason=review_reason,
            conversion_window_days=creatives.click_window_days(self.attribution_spec, self.id),
        )

    def _review(self, level: Level) -> tuple[str | None, str | None]:
        """Campaigns and ad sets are not reviewed, but Meta tells what is wrong with them."""
        if level == "ad":
            return creatives.review(self.effective_status, self.ad_review_feedback, self.issues_info, self.id)
        problem = creatives.issue(self.issues_info, self.id)
        return (self.effective_status if problem else None), problem


accounts_decoder: msgspec.json.Decoder[Page[AccountNode]] = msgspec.json.Decoder(Page[AccountNode])
account_decoder: msgspec.json.Decoder[AccountNode] = msgspec.json.Decoder(AccountNode)
objects_decoder: msgspec.json.Decoder[Page[ObjectNode]] = msgspec.json.Decoder(Page[ObjectNode])


def _budget(minor: str | None, currency: str) -> Decimal | None:
    """A budget in the account's currency; Meta writes "0" where there is none of that kind."""
    if minor is None:
        return None
    try:
        amount = Decimal(minor)
    except InvalidOperation:
        raise PlatformProtocolError(f"Meta's budget {minor!r} is no number", platform_code="shape") from None
    if amount == 0:
        return None
    return amount if currency in WHOLE_UNIT_CURRENCIES else amount / _HUNDREDTHS


def _instant(text: str | None) -> datetime | None:
    """`2026-03-01T09:00:00+0100`, aware."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise PlatformProtocolError(f"Meta's time {text!r} cannot be read", platform_code="shape") from None
    if at.tzinfo is None:
        raise PlatformProtocolError(f"Meta's time {text!r} has no offset", platform_code="shape")
    return at
