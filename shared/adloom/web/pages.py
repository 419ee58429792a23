"""The few plain pages that a function shows to a browser, such as the end of a log-in at a platform.

They load nothing, run nothing and name no state, code or token.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from typing import Any

from flask import Request, Response
from pydantic import BaseModel

HTML = "text/html"


@dataclass(frozen=True)
class Page:
    """What a route answers to a browser, and the same as data for a program. `path` is where the way back leads."""

    title: str
    text: str
    data: BaseModel
    path: str = ""


_STYLE = (
    ":root{color-scheme:light dark;--ink:#1d2129;--soft:#5f6775;--ground:#f6f6f4;--card:#fff;--line:#e3e3df;"
    "--act:#2b50c8}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8e9ec;--soft:#a2a8b4;--ground:#15171b;--card:#1d2025;"
    "--line:#2e323a;--act:#8fa8ff}}"
    "body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,sans-serif}"
    "main{max-width:30rem;margin:12vh auto 0;padding:2rem;background:var(--card);border:1px solid var(--line);"
    "border-radius:12px}"
    "h1{font-size:1.25rem;line-height:1.3;margin:0 0 .5rem;text-wrap:balance}p{margin:.5rem 0}"
    "a{color:var(--act);font-weight:600}small{color:var(--soft);overflow-wrap:anywhere}"
    "@media(max-width:34rem){main{margin:0;border-width:0 0 1px;border-radius:0}}"
)
# Only this very style is allowed, nothing else.
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"


def wanted(request: Request) -> bool:
    """Whether the caller is a browser rather than a program that asks for JSON."""
    return request.accept_mimetypes.best_match([HTML, "application/json"], HTML) == HTML


def page(title: str, text: str, *, link: str | None = None, note: str = "", status: int = 200) -> Response:
    """A page of a headline, a sentence and a way back to Adloom. All of it is escaped."""
    back = f'<p><a href="{escape(link)}">Back to Adloom</a></p>' if link else ""
    small = f"<p><small>{escape(note)}</small></p>" if note else ""
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)} · Adloom</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1><p>{escape(text)}</p>{back}{small}</main></body></html>"
    )
    response = Response(html, status=status, content_type=f"{HTML}; charset=utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response


def of_problem(problem: Response, link: str) -> Response:
    """The page of a problem document, with its status and what its headers say."""
    members: dict[str, Any] = problem.get_json()
    response = page(
        "That did not work",
        members["detail"],
        link=link,
        note=f"{members['code']} · {members['request_id']}",
        status=problem.status_code,
    )
    for name in ("Retry-After", "Allow"):
        if name in problem.headers:
            response.headers[name] = problem.headers[name]
    return response
