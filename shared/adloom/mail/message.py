"""A mail as text and as HTML, in the product's look.

Mail programs know little CSS: tables, styles on each element, no web fonts, no SVG. The logo goes along as an image.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from adloom.mail.templates import TEMPLATES, Template

LOGO_ID = "adloom-logo"
_WIDTH = 76
_WHITE = re.compile(r"\s+")

# The light theme of the dashboard.
_PAGE, _CARD, _LINE = "#f6f5f2", "#ffffff", "#e6e3dc"
_TEXT, _MUTED, _ACCENT = "#1d1c1a", "#6a665e", "#3a56d4"
_FONT = "font-family:Inter,system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"


@dataclass(frozen=True)
class Message:
    """A mail that is ready to go."""

    address: str
    subject: str
    text: str
    html: str


@cache
def logo() -> bytes:
    """The logo, a PNG of 88 by 88."""
    return Path(__file__).with_name("logo.png").read_bytes()


def compose(address: str, template: str, data: Mapping[str, str], link: str | None, public_url: str) -> Message:
    """The mail of a template. Data is one line each, and plain text whatever it looks like."""
    chosen = TEMPLATES[template]
    if chosen.path is not None:
        link = public_url.rstrip("/") + chosen.path
    plain = {name: _WHITE.sub(" ", value).strip() for name, value in data.items()}
    return Message(
        address,
        chosen.subject.format_map(plain),
        _text(chosen, plain, link, public_url),
        _html(chosen, {name: escape(value) for name, value in plain.items()}, link, public_url),
    )


def _text(template: Template, data: Mapping[str, str], link: str | None, public_url: str) -> str:
    facts = "\n".join(f"{label}: {value.format_map(data)}" for label, value in template.facts.items())
    parts = [
        template.headline.format_map(data),
        _wrapped(template.text.format_map(data)),
        facts,
        f"{template.button}:\n{link}" if link else "",
        _wrapped(template.after.format_map(data)),
        f"-- \nAdloom, {public_url}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _html(template: Template, data: Mapping[str, str], link: str | None, public_url: str) -> str:
    """`data` is escaped already."""
    headline, text = template.headline.format_map(data), template.text.format_map(data)
    after = template.after.format_map(data)
    parts = [
        f'<h1 style="margin:0 0 8px;font-size:20px;line-height:28px;font-weight:650;color:{_TEXT}">{headline}</h1>',
        f'<p style="margin:0;font-size:15px;line-height:23px;color:{_TEXT}">{text}</p>',
        _facts({label: value.format_map(data) for label, value in template.facts.items()}),
        _button(template.button, link) if template.button and link else "",
        f'<p style="margin:20px 0 0;font-size:13px;line-height:20px;color:{_MUTED}">{after}</p>' if after else "",
    ]
    return _page(headline, text, "".join(parts), escape(public_url))


def _facts(facts: Mapping[str, str]) -> str:
    if not facts:
        return ""
    rows = "".join(
        f'<tr><td style="padding:7px 16px 7px 0;border-top:1px solid {_LINE};color:{_MUTED};white-space:nowrap;'
        f'vertical-align:top">{label}</td><td style="padding:7px 0;border-top:1px solid {_LINE};color:{_TEXT};'
        f'overflow-wrap:anywhere">{value}</td></tr>'
        for label, value in facts.items()
    )
    return (
        f'<table role="presentation" cellpadding="0" cellspacing="0" width="100%" style="margin:18px 0 0;'
        f'border-bottom:1px solid {_LINE};border-collapse:collapse;font-size:14px;line-height:20px;{_FONT}">'
        f"{rows}</table>"
    )


def _button(label: str, link: str) -> str:
    href = escape(link)
    return (
        f'<p style="margin:22px 0 0"><a href="{href}" style="display:inline-block;padding:11px 20px;'
        f"border-radius:8px;background:{_ACCENT};color:#ffffff;font-size:15px;line-height:20px;font-weight:600;"
        f'text-decoration:none">{label}</a></p>'
        f'<p style="margin:16px 0 0;font-size:12px;line-height:18px;color:{_MUTED}">Or copy this address: '
        f'<a href="{href}" style="color:{_ACCENT};overflow-wrap:anywhere;word-break:break-all">{href}</a></p>'
    )


def _page(headline: str, preview: str, content: str, public_url: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta name="color-scheme" content="light"><title>{headline}</title></head>'
        f'<body style="margin:0;padding:0;background:{_PAGE};{_FONT}">'
        # What a list of mails shows beside the subject.
        f'<div style="display:none;max-height:0;overflow:hidden">{preview}</div>'
        f'<table role="presentation" cellpadding="0" cellspacing="0" width="100%" style="background:{_PAGE}">'
        '<tr><td align="center" style="padding:32px 16px">'
        '<table role="presentation" cellpadding="0" cellspacing="0" width="100%" style="max-width:520px">'
        f'<tr><td style="padding:28px;background:{_CARD};border:1px solid {_LINE};border-radius:12px;{_FONT}">'
        '<table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 20px"><tr>'
        f'<td><img src="cid:{LOGO_ID}" width="22" height="22" alt="" style="display:block"></td>'
        f'<td style="padding-left:9px;font-size:16px;line-height:22px;font-weight:650;color:{_TEXT};{_FONT}">Adloom'
        f"</td></tr></table>{content}</td></tr>"
        f'<tr><td style="padding:16px 4px;font-size:12px;line-height:18px;color:{_MUTED};{_FONT}">'
        f'Sent by Adloom at <a href="{public_url}" style="color:{_MUTED}">{public_url}</a></td></tr>'
        "</table></td></tr></table></body></html>"
    )
