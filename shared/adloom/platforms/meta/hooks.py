"""What Meta tells us of by itself: leads of pages, states of ad accounts. Subscribed and unsubscribed one by one.

https://developers.facebook.com/docs/graph-api/reference/page/subscribed_apps
https://developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving
"""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
from pydantic import BaseModel, ConfigDict

from adloom.platforms.meta.oauth import MetaOAuth

PAGE_SIZE = "100"
# A person with more pages than these gets the first ones.
MOST_PAGES = 1000


@dataclass(frozen=True)
class Page:
    """A page that a person manages, and its own token."""

    id: str
    name: str
    token: str = field(repr=False)


class _Listed(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    name: str = ""
    access_token: str = ""


class _Cursors(BaseModel):
    after: str = ""


class _Paging(BaseModel):
    cursors: _Cursors = _Cursors()
    next: str = ""


class _Pages(BaseModel):
    data: list[_Listed]
    paging: _Paging = _Paging()


class _Done(BaseModel):
    success: bool


class MetaHooks(MetaOAuth):
    """Subscriptions by a person's token, and by those of their pages."""

    def pages(self, token: str) -> list[Page]:
        """The pages that the person manages and lets us see."""
        found: list[Page] = []
        after = ""
        with self._client() as client:
            while len(found) < MOST_PAGES:
                asked = {"fields": "id,name,access_token", "limit": PAGE_SIZE, **self._signed(token)}
                listed = self._get(client, "me/accounts", asked | ({"after": after} if after else {}), _Pages)
                found += [Page(one.id, one.name or one.id, one.access_token) for one in listed.data if one.access_token]
                after = listed.paging.cursors.after
                if not listed.paging.next or not after:
                    break
        return found

    def subscribe(self, target: str, token: str, fields: tuple[str, ...]) -> None:
        """Have Meta tell us of a page, or of an account by its `act_` id."""
        with self._client() as client:
            self._told(client, "POST", target, token, {"subscribed_fields": ",".join(fields)})

    def unsubscribe(self, target: str, token: str) -> None:
        with self._client() as client:
            self._told(client, "DELETE", target, token, {})

    def _told(self, client: httpx.Client, method: str, target: str, token: str, params: dict[str, str]) -> None:
        self._call(client, method, f"{target}/subscribed_apps", {**params, **self._signed(token)}, _Done)

    def _signed(self, token: str) -> dict[str, str]:
        return {"access_token": token, "appsecret_proof": self._proof(token)}
