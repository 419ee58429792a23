"""The front door's settings: Caddy with a gateway's paths, the same wherever it runs.

`/function/<name>/...` goes to the function, everything else to the dashboard.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

# Uploads of creatives are the largest bodies anybody sends.
_MAX_BODY = "32MB"
# What a function takes at most; a body comes whole before its function hears of it, so that slow clients are the front
# door's business, which has room for them.
_FUNCTION_BODY = "2MB"
_LARGER_THAN_THAT = "^([0-9]{8,}|[2-9][0-9]{6})$"
# Whoever calls inside is one of our own, who say for whom they call.
_INSIDE = "private_ranges"
# A part that is being restarted is back within this time, and its callers do not notice.
_RETRY_DIAL = "10s"


@dataclass(frozen=True)
class Front:
    """Where the front door listens and what lies behind it.

    `sites` are the addresses people reach it by, as Caddy writes them: `http://127.0.0.1:8080`, or `ads.example.com`
    for HTTPS with a certificate that Caddy gets by itself. Upstreams are `host:port`. `strip` takes `/function/<name>`
    away, as a gateway does; where one stands behind the front door it needs the whole path. On `gateway`, a port that
    nobody outside must reach, the platform's own parts call the functions, and are believed for whom they call.
    `proxies` are addresses of proxies that stand before this one: only they are believed about whose request it is.
    """

    sites: tuple[str, ...]
    dashboard: str
    functions: Mapping[str, str] = field(default_factory=dict)
    bind: str = ""
    port: int = 80
    https: bool = False
    strip: bool = True
    gateway: int | None = None
    proxies: str = ""


def caddyfile(front: Front) -> str:
    """The settings. It answers only to the names people reach it by, so that no foreign page can point a name of its
    own at this machine and talk to the dashboard through its visitor's browser.
    """
    bind = f"\n\tbind {front.bind}" if front.bind else ""
    functions = "\n".join(_function(name, upstream, front.strip) for name, upstream in front.functions.items())
    return f"""{{
	admin off
{"" if front.https else "	auto_https off"}
	persist_config off
	grace_period 5s
	log {{
		level WARN
		format filter {{
			wrap json
			request>uri query {{
				replace token REDACTED
				replace code REDACTED
				replace state REDACTED
			}}
		}}
	}}
{_servers(front.proxies)}{_servers(_INSIDE, front.gateway) if front.gateway else ""}}}

{", ".join(front.sites)} {{{bind}
	@unmarked not header X-Request-Id *
	request_header @unmarked X-Request-Id {{http.request.uuid}}
	request_body {{
		max_size {_MAX_BODY}
	}}
	header {{
		-Server
		-Via
	}}
	header ?X-Request-Id {{http.request.header.X-Request-Id}}
	header ?X-Content-Type-Options nosniff
	header ?Referrer-Policy strict-origin-when-cross-origin
	header ?X-Frame-Options DENY
{functions}
	handle /function/* {{
		error "There is no such function" 404
	}}
	handle {{
{_proxy(front.dashboard)}
	}}
{_problems()}
}}

http://:{front.port} {{{bind}
	header -Server
	respond "This address is not served here" 421
}}
{_gateway(front, functions) if front.gateway else ""}"""


def _servers(proxies: str, port: int | None = None) -> str:
    """The limits of a listener, and whose word it takes for where a request comes from: nobody's unless said."""
    of = f" :{port}" if port else ""
    trust = f"\n\t\ttrusted_proxies static {proxies}" if proxies else ""
    return f"""	servers{of} {{{trust}
		timeouts {{
			read_header 10s
			idle 2m
		}}
		max_header_size 64KB
	}}
"""


def _gateway(front: Front, functions: str) -> str:
    """The functions alone, for the parts of the platform."""
    return f"""
http://:{front.gateway} {{
	@unmarked not header X-Request-Id *
	request_header @unmarked X-Request-Id {{http.request.uuid}}
{functions}
	handle /_/health {{
		respond "" 200
	}}
	handle {{
		error "There is no such function" 404
	}}
{_problems()}
}}
"""


def _function(name: str, upstream: str, strip: bool) -> str:
    # A request without a body is sent again when its function was just started anew; one that was buffered is not.
    prefix = f"\n\t\turi strip_prefix /function/{name}" if strip else ""
    return f"""	@{name} path /function/{name} /function/{name}/*
	handle @{name} {{{prefix}
		@{name}-large header_regexp Content-Length {_LARGER_THAN_THAT}
		error @{name}-large "Request Entity Too Large" 413
		request_body {{
			max_size {_FUNCTION_BODY}
		}}
		@{name}-bare {{
			not header Transfer-Encoding *
			not header_regexp Content-Length [1-9]
		}}
{_proxy(upstream, f"@{name}-bare ")}
{_proxy(upstream, buffer=_FUNCTION_BODY)}
	}}"""


def _proxy(upstream: str, matcher: str = "", *, buffer: str = "") -> str:
    whole = f"\n\t\t\trequest_buffers {buffer}" if buffer else ""
    return f"""		reverse_proxy {matcher}{upstream} {{{whole}
			lb_try_duration {_RETRY_DIAL}
			lb_try_interval 100ms
			transport http {{
				dial_timeout 2s
				response_header_timeout 65s
			}}
		}}"""


@dataclass(frozen=True)
class _Problem:
    """One of the front door's own errors, in the words that every function uses."""

    code: str
    detail: str
    retryable: bool = False
    acts: str = "caller"

    def settings(self, matcher: str = "") -> str:
        values = {"code": self.code, "detail": self.detail, "retryable": json.dumps(self.retryable), "acts": self.acts}
        lines = "\n".join(f"\t\t\t{name} {json.dumps(value)}" for name, value in values.items())
        return f"\t\tvars {matcher}{{\n{lines}\n\t\t}}"


_DOWN = _Problem("unavailable", "The part behind this address does not answer; try again", True, "nobody")
_REFUSED = {
    404: _Problem("not_found", "There is no such function"),
    413: _Problem("body_too_large", "The request is larger than this address takes"),
}
# `retryable` and `status` are no strings, so the document is written out instead of being encoded.
_DOCUMENT = (
    '{"type":"urn:adloom:problem:{vars.code}","title":"{http.error.status_text}","status":{http.error.status_code},'
    '"detail":"{vars.detail}","code":"{vars.code}","retryable":{vars.retryable},"acts":"{vars.acts}",'
    '"request_id":"{http.request.header.X-Request-Id}"}'
)


def _problems() -> str:
    lines = ["\thandle_errors {", _DOWN.settings()]
    for status, problem in _REFUSED.items():
        lines.append(f"\t\t@is{status} expression {{http.error.status_code}} == {status}")
        lines.append(problem.settings(f"@is{status} "))
    return "\n".join(
        [
            *lines,
            "\t\theader {",
            "\t\t\t-Server",
            "\t\t\tContent-Type application/problem+json",
            "\t\t\tX-Request-Id {http.request.header.X-Request-Id}",
            "\t\t}",
            f"\t\trespond `{_DOCUMENT}` {{http.error.status_code}}",
            "\t}",
        ]
    )
