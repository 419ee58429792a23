"""The page on which a person says who they are, in the look of the sandbox's other pages."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse, Response

from infra.sandbox.oidc.people import PEOPLE, Person

_STYLE = """
:root{color-scheme:light dark}*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;margin:0;background:#f6f5f2;color:#1d1c1a}
main{max-width:27rem;margin:4rem auto;padding:0 1rem}h1{font-size:1.3rem;line-height:1.3;margin:.6rem 0 .2rem}
.tag{display:inline-block;background:#fdf3e1;color:#8a4f06;border-radius:1rem;padding:.1rem .8rem;font-weight:700;
font-size:.8rem;letter-spacing:.08em}p{margin:.2rem 0 1rem}small,.about{color:#6a665e}
.people{background:#fff;border:1px solid #e6e3dc;border-radius:12px;overflow:hidden}
.person{display:grid;grid-template-columns:2.4rem 1fr;gap:0 .8rem;align-items:center;width:100%;padding:.75rem 1rem;
font:inherit;color:inherit;text-align:left;background:none;border:0;cursor:pointer}
.person+.person{border-top:1px solid #e6e3dc}.person:hover{background:#f6f4f0}
.person:focus-visible,.cancel:focus-visible{outline:2px solid #3a56d4;outline-offset:-2px}
.initials{grid-row:span 3;width:2.4rem;height:2.4rem;border-radius:50%;background:#e7eafb;color:#2c43ad;display:grid;
place-items:center;font-weight:700;font-size:.85rem}.person b{font-weight:600}
.person span{overflow-wrap:anywhere}.about{font-size:.85rem}
.cancel{font:inherit;font-weight:600;color:#3a56d4;background:none;border:0;padding:.5rem 0;margin-top:.6rem;
cursor:pointer}
@media(prefers-color-scheme:dark){body{background:#141413;color:#eceae4}.people{background:#1c1c1a;border-color:#31302c}
.person+.person{border-color:#31302c}.person:hover{background:#242421}small,.about{color:#a6a198}
.tag{background:#3a2d14;color:#f0c77c}.initials{background:#2a3052;color:#b9c4ff}.cancel{color:#8b9df5}}
@media(max-width:30rem){main{margin-top:1.2rem}}
"""
# No `form-action`: browsers hold a redirect after a form to it, and this one leads back to the product.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


def choose(fields: dict[str, str]) -> Response:
    """The people; what was asked for goes along with the choice."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
    people = "".join(_person(person) for person in PEOPLE.values())
    return _page(
        "Who are you?",
        "<p>Adloom asks for your name and your e-mail address.</p>"
        f'<form method="post">{hidden}<div class="people">{people}</div>'
        '<button class="cancel" name="person" value="">Cancel</button></form>',
        200,
    )


def refused(reason: str) -> Response:
    """Nobody is sent on to an address that is not the product's."""
    return _page("This log-in cannot begin", f"<p>{escape(reason)}</p>", 400)


def _person(person: Person) -> str:
    initials = "".join(word[0] for word in person.name.split())
    return (
        f'<button class="person" name="person" value="{escape(person.key)}">'
        f'<span class="initials" aria-hidden="true">{escape(initials)}</span><b>{escape(person.name)}</b>'
        f'<span>{escape(person.email)}</span><span class="about">{escape(person.about)}</span></button>'
    )


def _page(title: str, body: str, status: int) -> Response:
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} · Sandbox</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f'<body><main><span class="tag">SANDBOX</span><h1>{escape(title)}</h1>{body}'
        "<p><small>This is no real provider. It is Adloom's sandbox on this machine, with made-up people.</small></p>"
        "</main></body></html>"
    )
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(html, status, {**headers, "Referrer-Policy": "no-referrer"})
