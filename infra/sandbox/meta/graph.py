"""Routes a call to what answers it."""

from __future__ import annotations

from typing import Any

from infra.sandbox.facts.model import Account, Entity
from infra.sandbox.facts.status import exists
from infra.sandbox.meta import auth, edges, errors, insights, objects, versions
from infra.sandbox.meta.asyncjobs import Jobs
from infra.sandbox.meta.call import Call, parse_fields
from infra.sandbox.meta.hooks import Hooks
from infra.sandbox.meta.oauth import OAuth
from infra.sandbox.tokens import Tokens
from infra.sandbox.world import World

_UNKNOWN_FIELDS = "unknown_field"


class Graph:
    """The Graph API over a world of facts. `answer` raises GraphError for what Meta would refuse."""

    def __init__(self, world: World, app: auth.MetaApp, tokens: Tokens, oauth: OAuth, jobs: Jobs) -> None:
        self.world = world
        self.app = app
        self.tokens = tokens
        self.oauth = oauth
        self.jobs = jobs
        self.hooks = Hooks(app, tokens)

    def answer(self, call: Call) -> dict[str, Any]:
        """The JSON body of a good answer."""
        versions.check(call.version, call.path, call.now)
        found = self._open_to_all(call)
        if found is not None:
            return found
        if not call.path and "ids" in call.params:
            raise errors.GraphError(500, 100, "(#100) The parameter ids is deprecated and no longer supported")
        auth.authorize(call, self.tokens, self.app)
        found = self._of_person(call)
        if found is None:
            auth.may_read_ads(call)
            found = self._of_ads(call)
        if call.fault is not None and call.fault.kind == _UNKNOWN_FIELDS:
            for row in found["data"] if isinstance(found.get("data"), list) else [found]:
                row.update(call.fault.fields)
        return found

    def _open_to_all(self, call: Call) -> dict[str, Any] | None:
        if call.path == "oauth/access_token":
            return self.oauth.access_token(call)
        if call.path == "oauth/revoke":
            return self.oauth.revoke(call)
        if call.path == "debug_token":
            return self.oauth.debug_token(call)
        return None

    def _of_person(self, call: Call) -> dict[str, Any] | None:
        person, _, edge = call.path.partition("/")
        own = call.token.person_id if call.token else auth.PERSON_ID
        if (person, edge, call.method) == (auth.SYSTEM_USER_ID, "access_tokens", "POST"):
            return self.oauth.system_user_token(call)
        if person not in ("me", own):
            return self.hooks.answer(call)
        if not edge:
            known = {"id": own, "name": auth.NAMES.get(own, own)}
            asked = parse_fields(call).fields or known
            return {"id": own, **{name: known[name] for name in asked if name in known}}
        if edge == "adaccounts":
            auth.may_read_ads(call)
            return edges.accounts(call, self.world.living(auth.PLATFORM, call.now))
        if edge == "accounts":
            return self.hooks.pages(call)
        if edge.partition("/")[0] == "permissions":
            one = edge.partition("/")[2] or call.params.get("permission", "")
            return self.oauth.remove_app(call, one) if call.method == "DELETE" else self.oauth.permissions(call)
        raise errors.unknown_path(call.path)

    def _of_ads(self, call: Call) -> dict[str, Any]:
        node_id, _, edge = call.path.partition("/")
        if call.method not in ("GET", "POST") or (call.method == "POST" and edge != "insights"):
            raise errors.unknown_object(node_id, call.method.lower())
        job = self.jobs.find(node_id)
        if job is not None:
            call.account_id, call.is_insights = job.account_id, True
            if edge != "insights":
                return self.jobs.poll(job)
            account, scope = self._node(call, job.node_id)
            return insights.answer(self.jobs.call_for_results(job, call), account, scope)
        account, scope = self._node(call, node_id)
        call.account_id = account.id
        if edge == "insights":
            return self._insights(call, node_id, account, scope)
        if edge in edges.EDGES:
            return edges.listed(call, account, edges.EDGES[edge], scope)
        if edge:
            raise errors.unknown_path(call.path)
        if scope is None:
            return objects.render_account(account, parse_fields(call), call.now)
        return objects.render(objects.Node(account, scope, call.now), parse_fields(call))

    def _insights(self, call: Call, node_id: str, account: Account, scope: Entity | None) -> dict[str, Any]:
        call.is_insights = True
        if call.method == "GET":
            return insights.answer(call, account, scope)
        insights.check(call, account, scope)
        return self.jobs.create(call, node_id, account.id)

    def _node(self, call: Call, node_id: str) -> tuple[Account, Entity | None]:
        """The account, and the object in it unless the account itself is meant."""
        accounts = {account.id: account for account in self.world.living(auth.PLATFORM, call.now)}
        if node_id.startswith("act_"):
            account = accounts.get(node_id.removeprefix("act_"))
            if account is not None:
                return account, None
        catalogue = self.world.folder.catalogues.get(auth.PLATFORM)
        if catalogue is not None:
            for known in (catalogue.campaigns, catalogue.adgroups, catalogue.ads):
                entity = known.get(node_id)
                if entity is not None and entity.account_id in accounts:
                    account = accounts[entity.account_id]
                    if exists(account, entity, call.now):
                        return account, entity
        raise errors.unknown_object(node_id)
