"""The cookies of the dashboard: their names, and how they are set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from starlette.requests import HTTPConnection
from starlette.responses import Response

from adloom.connections import browser

# As long as `auth` knows a browser.
_DEVICE_LIFE = timedelta(days=365)


@dataclass(frozen=True)
class Cookies:
    """Out of scripts' reach, sent to nobody else, Secure wherever people come by https.

    There their names begin with `__Host-`: browsers take such a cookie from this very host over https only, so that
    neither a neighbour under the same domain nor anybody on the way can set one.
    """

    https: bool

    @property
    def session(self) -> str:
        return self._name("adloom_session")

    @property
    def device(self) -> str:
        """The browser's token at `auth`; good for nothing but being told apart from strangers at the next log-in."""
        return self._name("adloom_device")

    @property
    def form(self) -> str:
        return self._name("adloom_form")

    @property
    def challenge(self) -> str:
        """Between the two steps of a log-in."""
        return self._name("adloom_challenge")

    @property
    def link(self) -> str:
        """The token of a mailed link, while its page is open."""
        return self._name("adloom_link")

    @property
    def language(self) -> str:
        """The language that was chosen in this browser."""
        return self._name("adloom_language")

    @property
    def browser(self) -> str:
        """What binds a log-in at a platform to this browser."""
        return browser.cookie_name(https=self.https)

    def _name(self, name: str) -> str:
        return f"__Host-{name}" if self.https else name

    def put(
        self,
        response: Response,
        name: str,
        value: str,
        *,
        expires: datetime | None = None,
        same_site: Literal["lax", "strict"] = "lax",
    ) -> None:
        """Set one of them; without `expires` it lasts as long as the browser is open."""
        life = None if expires is None else max(0, int((expires - datetime.now(UTC)).total_seconds()))
        response.set_cookie(name, value, max_age=life, path="/", httponly=True, samesite=same_site, secure=self.https)

    def put_device(self, response: Response, token: str) -> None:
        self.put(response, self.device, token, expires=datetime.now(UTC) + _DEVICE_LIFE, same_site="strict")

    def put_language(self, response: Response, tag: str) -> None:
        self.put(response, self.language, tag, expires=datetime.now(UTC) + _DEVICE_LIFE)

    def drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=self.https)


def cookies_of(connection: HTTPConnection) -> Cookies:
    """The names that the guard has set for this connection; those of https where it has not been asked."""
    return Cookies(https=bool(connection.scope.get("state", {}).get("https", True)))
