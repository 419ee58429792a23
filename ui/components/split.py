"""Where the money goes: one bar per currency, one line per platform. A platform keeps its colour everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from adloom.metrics.query import Measures
from ui import formats
from ui.i18n import _
from ui.markup import h

PLATFORMS = {"google": "Google", "meta": "Meta", "tiktok": "TikTok"}


@dataclass(frozen=True)
class Share:
    """What went through one platform in one currency."""

    currency: str
    platform: str
    sums: Measures


def swatch(platform: str | None) -> Markup:
    known = platform if platform in PLATFORMS else ""
    return h("i", class_=f"swatch {known}", title=PLATFORMS.get(platform or ""), aria_hidden="true")


def split(shares: list[Share]) -> Markup:
    """The card with every currency's bar; the total stands in the head when there is one currency."""
    currencies = list(dict.fromkeys(share.currency for share in shares))
    totals = {currency: _total(shares, currency) for currency in currencies}
    single = formats.money(totals[currencies[0]], currencies[0]) if len(currencies) == 1 else None
    head = h(
        "div",
        h("h2", _("Where it goes")),
        h("span", single, class_="muted num") if single else None,
        class_="card-head",
    )
    blocks = [
        _block([share for share in shares if share.currency == currency], totals[currency], named=not single)
        for currency in currencies
    ]
    if not blocks:
        blocks = [h("p", _("Nothing was spent in this period."), class_="split muted")]
    return h("section", head, blocks, class_="card")


def _total(shares: list[Share], currency: str) -> Decimal:
    return sum((share.sums.spend for share in shares if share.currency == currency), Decimal(0))


def _block(shares: list[Share], total: Decimal, *, named: bool) -> Markup:
    shares = sorted(shares, key=lambda share: -share.sums.spend)
    title = None
    if named:
        title = h(
            "div",
            h("b", shares[0].currency),
            h("span", formats.money(total, shares[0].currency), class_="aside amount"),
            class_="split-line",
        )
    parts = [
        h("i", class_=share.platform if share.platform in PLATFORMS else "", style=f"flex-grow:{share.sums.spend:f}")
        for share in shares
        if share.sums.spend > 0
    ]
    bar = h("div", parts, class_="split-bar", aria_hidden="true")
    return h("div", title, bar, [_line(share) for share in shares], class_="split")


def _line(share: Share) -> Markup:
    return h(
        "div",
        swatch(share.platform),
        h("span", PLATFORMS.get(share.platform, share.platform)),
        h("span", formats.money(share.sums.spend, share.currency), class_="amount"),
        h("span", f"{_('ROAS')} {formats.ratio(share.sums.roas)}", class_="aside"),
        class_="split-line",
    )
