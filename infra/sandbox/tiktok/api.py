"""Routes a call to what answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra.sandbox.facts.model import Account, Level
from infra.sandbox.tiktok import advertisers, auth, creatives, lists
from infra.sandbox.tiktok.call import Call
from infra.sandbox.tiktok.errors import TikTokError, missing, parameter
from infra.sandbox.tiktok.oauth import OAuth
from infra.sandbox.tiktok.reportquery import MAX_ADVERTISERS
from infra.sandbox.tiktok.reports import Reports
from infra.sandbox.tiktok.tasks import Tasks
from infra.sandbox.tokens import Tokens
from infra.sandbox.world import World

Handler = Callable[[Call], dict[str, Any]]
_LISTS: dict[str, Level] = {"campaign/get": "campaign", "adgroup/get": "ad_group", "ad/get": "ad"}


class Api:
    """The Marketing API over a world of facts. `answer` raises TikTokError for what TikTok would refuse."""

    def __init__(self, world: World, tokens: Tokens, oauth: OAuth, base_url: Callable[[], str]) -> None:
        self.world = world
        self.tokens = tokens
        self.reports = Reports()
        self.tasks = Tasks()
        self._base_url = base_url
        self._routes: dict[tuple[str, str], Handler] = {
            ("POST", "oauth2/access_token"): oauth.access_token,
            ("POST", "oauth/token"): oauth.form_token,
            ("GET", "oauth2/advertiser/get"): oauth.advertisers,
            ("POST", "oauth2/revoke_token"): oauth.revoke,
            ("POST", "oauth2/refresh_token"): oauth.refresh,
            ("GET", "user/info"): oauth.person,
            ("GET", "advertiser/info"): self._info,
            ("GET", "report/integrated/get"): self._report,
            ("POST", "report/task/create"): self._task(self.tasks.create),
            ("GET", "report/task/check"): self._task(self.tasks.check),
            ("POST", "report/task/cancel"): self._task(self.tasks.cancel),
            ("GET", "report/task/download"): self._task(self._download),
            ("GET", "file/image/ad/info"): self._of_account(creatives.images, auth.SCOPE_CREATIVES),
            ("GET", "file/video/ad/info"): self._of_account(creatives.videos, auth.SCOPE_CREATIVES),
            ("GET", "ad/review_info"): self._of_account(creatives.reviews, auth.SCOPE_ADS),
            ("GET", "smart_plus/ad/get"): self._of_account(creatives.smart_ads, auth.SCOPE_ADS),
            ("GET", "smart_plus/ad/review_info"): self._of_account(creatives.smart_reviews, auth.SCOPE_ADS),
            **{("GET", path): self._list(level) for path, level in _LISTS.items()},
        }

    def knows(self, path: str) -> set[str]:
        """The methods with which a path can be called."""
        return {method for method, known in self._routes if known == path}

    def answer(self, call: Call) -> dict[str, Any]:
        """The `data` of a good answer."""
        found = self._routes[call.method, call.path](call)
        if call.fault is not None and call.fault.kind == "unknown_field":
            for row in found.get("list", [found]):
                row.update(call.fault.fields)
        return found

    def _info(self, call: Call) -> dict[str, Any]:
        auth.authorize(call, self.tokens)
        auth.may(call, auth.SCOPE_ACCOUNTS)
        return advertisers.info(self.world, call)

    def _list(self, level: Level) -> Handler:
        def answer(call: Call) -> dict[str, Any]:
            return lists.listed(call, self._advertiser(call, auth.SCOPE_ADS), level)

        return answer

    def _report(self, call: Call) -> dict[str, Any]:
        many = call.words("advertiser_ids")
        if not call.text("advertiser_id") and many:
            if len(many) > MAX_ADVERTISERS:
                raise parameter(f"advertiser_ids: Longer than maximum length {MAX_ADVERTISERS}.")
            return self._of_many(call, many)
        if call.text("bc_id"):
            auth.authorize(call, self.tokens)
            raise TikTokError(40001, "No permission to operate the Business Center.")
        return self.reports.answer(call, self._advertiser(call, auth.SCOPE_REPORTING))

    def _of_many(self, call: Call, advertiser_ids: list[str]) -> dict[str, Any]:
        """Rows of several accounts in one list: money loses its decimals there."""
        rows: list[dict[str, Any]] = []
        for advertiser_id in advertiser_ids:
            params = {**call.params, "advertiser_id": advertiser_id, "page": 1, "page_size": 1000}
            one = Call(call.method, call.path, params, call.token_text, call.now)
            rows += self.reports.answer(one, self._advertiser(one, auth.SCOPE_REPORTING))["list"]
        for row in rows:
            if "spend" in row["metrics"]:
                row["metrics"]["spend"] = row["metrics"]["spend"].partition(".")[0]
        return {"list": rows, "page_info": {"page": 1, "page_size": 1000, "total_number": len(rows), "total_page": 1}}

    def _task(self, handler: Callable[[Call, Account], dict[str, Any]]) -> Handler:
        return self._of_account(handler, auth.SCOPE_REPORTING)

    def _of_account(self, handler: Callable[[Call, Account], dict[str, Any]], scope: int) -> Handler:
        return lambda call: handler(call, self._advertiser(call, scope))

    def _download(self, call: Call, account: Account) -> dict[str, Any]:
        return self.tasks.download(call, account, self._base_url())

    def _advertiser(self, call: Call, scope: int) -> Account:
        auth.authorize(call, self.tokens)
        auth.may(call, scope)
        if not call.text("advertiser_id"):
            raise missing("advertiser_id")
        return auth.advertiser(self.world, call)
