"""The pages on which a person agrees at a platform, unmistakably a sandbox's, and the way back to the product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.responses import HTMLResponse, RedirectResponse, Response

from infra.sandbox.facts.model import Account

_STYLE = """
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f0f2f5;color:#1c1e21}
main{max-width:27rem;margin:4rem auto;background:#fff;border-radius:.75rem;padding:2rem;box-shadow:0 1px 8px #0002}
.tag{display:inline-block;background:#fff3cd;color:#5c4400;border-radius:1rem;padding:.1rem .8rem;font-weight:700;
font-size:.8rem;letter-spacing:.08em}h1{font-size:1.3rem;margin:.8rem 0}ul{padding:0;list-style:none}
li{padding:.35rem 0;border-bottom:1px solid #8883}small{opacity:.7}label{display:block}
button{font:inherit;font-weight:600;border:0;border-radius:.5rem;padding:.6rem 1.2rem;
margin:1rem .5rem 0 0;cursor:pointer;background:#e4e6eb;color:#1c1e21}button.allow{background:#1b62d1;color:#fff}
@media(prefers-color-scheme:dark){body{background:#18191a;color:#e4e6eb}main{background:#242526}}
@media(max-width:30rem){main{margin:0;border-radius:0}}
"""


def page(title: str, body: str, status: int, platform: str = "Meta") -> Response:
    """A whole page; `body` is HTML, the title is text."""
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} · Sandbox</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f'<body><main><span class="tag">SANDBOX</span><h1>{title}</h1>{body}'
        f"<p><small>This is not {platform}. It is Adloom's sandbox on this machine.</small></p>"
        "</main></body></html>"
    )
    return HTMLResponse(html, status, {"cache-control": "no-store"})


def account_lines(account: Account) -> str:
    """An account's name, id, currency and zone as HTML."""
    return f"{escape(account.name)}<br><small>{account.id} · {account.currency} · {escape(account.zone.key)}</small>"


def question(asked: Mapping[str, str], choices: str, *, yes: str, no: str) -> str:
    """The form with the two buttons: what was asked for goes along with the choices, which are HTML."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value, quote=True)}">' for name, value in asked.items()
    )
    return (
        f'<form method="post">{hidden}<input type="hidden" name="choices" value="1">{choices}'
        f'<button class="allow" name="decision" value="allow">{yes}</button>'
        f'<button name="decision" value="deny">{no}</button></form>'
    )


def choice(name: str, value: str, label: str) -> str:
    """A box that is ticked already; the label is HTML."""
    return f'<label><input type="checkbox" name="{name}" value="{escape(value, quote=True)}" checked> {label}</label>'


def split(asked: Sequence[str], granted: list[str] | None) -> tuple[list[str], list[str]]:
    """The scopes that a person granted and those that they declined; None grants all that were asked for."""
    given = [scope for scope in asked if granted is None or scope in granted]
    return given, [scope for scope in asked if scope not in given]


def is_address(redirect_uri: str) -> bool:
    """Whether a person can be sent there."""
    target = urlsplit(redirect_uri)
    return target.scheme in ("http", "https") and bool(target.netloc) and not target.fragment


def back(redirect_uri: str, answer: Mapping[str, str]) -> Response:
    """Send the person back to the product."""
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return RedirectResponse(f"{redirect_uri}{joint}{urlencode(answer)}", 302)
