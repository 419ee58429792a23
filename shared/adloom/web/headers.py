"""Headers that tell browsers and caches to keep away."""

from __future__ import annotations

from flask import Response
from secure import Secure
from secure.headers import (
    CacheControl,
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)

_A_YEAR = 31_536_000


def api_headers(*, https: bool) -> Secure:
    """What every answer carries. HSTS only where people come by https: it would lock a plain http host out."""
    return Secure(
        cache=CacheControl().no_store(),
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        csp=ContentSecurityPolicy().default_src("'none'").base_uri("'none'").frame_ancestors("'none'"),
        hsts=StrictTransportSecurity().max_age(_A_YEAR).include_subdomains() if https else None,
        permissions=PermissionsPolicy().geolocation().microphone().camera(),
        referrer=ReferrerPolicy().no_referrer(),
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
    )


def apply(headers: Secure, response: Response) -> None:
    """Set what the route did not set itself, such as an HTML page's own content security policy."""
    for name, value in headers.header_items():
        response.headers.setdefault(name, value)
