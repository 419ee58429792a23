"""The mailbox as a page. Its mails open accounts, so it shows them to this machine's people only, and to whoever has
the sandbox's key.
"""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from infra.sandbox import visitors
from infra.sandbox.resend.mails import Mail, Mails

_STYLE = """
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:0;background:#f6f5f2;color:#1d1c1a}
main{max-width:46rem;margin:2rem auto;padding:0 1rem}h1{font-size:1.3rem;margin:.6rem 0 1rem}
.tag{display:inline-block;background:#fdf3e1;color:#8a4f06;border-radius:1rem;padding:.1rem .8rem;font-weight:700;
font-size:.8rem;letter-spacing:.08em}ul{padding:0;margin:0;list-style:none;background:#fff;border:1px solid #e6e3dc;
border-radius:12px;overflow:hidden}li+li{border-top:1px solid #e6e3dc}li a{display:block;padding:.7rem 1rem;
color:inherit;text-decoration:none}li a:hover{background:#f6f4f0}b{display:block}small{color:#6a665e}
iframe{width:100%;height:46rem;border:1px solid #e6e3dc;border-radius:12px;background:#fff}
.empty{background:#fff;border:1px solid #e6e3dc;
border-radius:12px;padding:1rem}a{color:#3a56d4}
@media(prefers-color-scheme:dark){body{background:#141413;color:#eceae4}ul,.empty{background:#1c1c1a;border-color:#31302c}
li+li{border-color:#31302c}li a:hover{background:#242421}small{color:#a6a198}a{color:#8b9df5}}
"""
_PAGE = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
# Mails run nothing here, and their links open beside the mailbox.
_MAIL = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


class Mailbox:
    """`/mailbox`, and each mail as its reader shows it."""

    def __init__(self, key: str, mails: Mails) -> None:
        self._key = key
        self._mails = mails

    def routes(self) -> list[Route]:
        return [
            Route("/mailbox", self.listing, methods=["GET"]),
            Route("/mailbox/{mail_id}", self.mail, methods=["GET"]),
            Route("/mailbox/{mail_id}/html", self.html, methods=["GET"]),
        ]

    def _refusal(self, request: Request) -> Response | None:
        return visitors.refusal(request, self._key, "mailbox")

    async def listing(self, request: Request) -> Response:
        """All mails, the newest first."""
        items = "".join(
            f'<li><a href="/mailbox/{escape(mail.id)}"><b>{escape(mail.params.subject)}</b>'
            f"<small>{escape(', '.join(mail.params.addresses))} · {mail.at:%H:%M:%S} UTC</small></a></li>"
            for mail in self._mails.newest_first()
        )
        shown = f"<ul>{items}</ul>" if items else '<p class="empty">No mail has been sent yet.</p>'
        return self._refusal(request) or _page("Mailbox", shown)

    async def mail(self, request: Request) -> Response:
        """One mail in its frame."""
        mail = self._mail(request)
        if (refusal := self._refusal(request)) is not None or mail is None:
            return refusal or _page("No such mail", '<p class="empty"><a href="/mailbox">To the mailbox</a></p>', 404)
        body = (
            f"<p><small>To {escape(', '.join(mail.params.addresses))}, from {escape(mail.params.sender)}, "
            f'{mail.at:%H:%M:%S} UTC · <a href="/mailbox">All mails</a></small></p>'
            f'<iframe src="/mailbox/{escape(mail.id)}/html" title="The mail"></iframe>'
        )
        return _page(mail.params.subject, body)

    async def html(self, request: Request) -> Response:
        """The mail's own HTML, its images inside."""
        mail = self._mail(request)
        if (refusal := self._refusal(request)) is not None or mail is None:
            return refusal or Response(status_code=404)
        html = mail.params.html.replace("<head>", '<head><base target="_blank">', 1)
        for each in mail.params.attachments:
            if each.content_id and each.content_type.startswith("image/"):
                html = html.replace(f"cid:{each.content_id}", f"data:{each.content_type};base64,{each.content}")
        return HTMLResponse(html, 200, _headers(_MAIL))

    def _mail(self, request: Request) -> Mail | None:
        return self._mails.get(request.path_params["mail_id"])


def _headers(policy: str) -> dict[str, str]:
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        # The address of a mail's link stays between it and Adloom.
        "Referrer-Policy": "no-referrer",
    }


def _page(title: str, body: str, status: int = 200) -> Response:
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} · Sandbox</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f'<body><main><span class="tag">SANDBOX</span><h1>{escape(title)}</h1>{body}'
        "<p><small>Nothing leaves this machine: these are the mails that Adloom would have sent.</small></p>"
        "</main></body></html>"
    )
    return HTMLResponse(html, status, _headers(_PAGE))
