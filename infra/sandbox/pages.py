"""How the pages look that a person sees at a platform: unmistakably a sandbox."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse, Response

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
    return (
        f"{escape(account.row.name if account.row else f'Account {account.id}')}<br>"
        f"<small>{account.id} · {account.currency} · {escape(account.zone.key)}</small>"
    )
