"""Who is calling: tokens, the app's own token, appsecret_proof, scopes."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from infra.sandbox.apps import App
from infra.sandbox.meta import errors
from infra.sandbox.meta.call import Call
from infra.sandbox.tokens import Issued, Tokens

PLATFORM = "meta"
PERSON_ID = "10160000000000007"
PERSON_NAME = "Sandbox Person"
# A machine of the business: an administrator makes its tokens.
SYSTEM_USER_ID = "10160000000000101"
SYSTEM_USER_NAME = "Sandbox System User"
NAMES = {PERSON_ID: PERSON_NAME, SYSTEM_USER_ID: SYSTEM_USER_NAME}
DEFAULT_SCOPES = ("ads_management", "ads_read", "business_management", "public_profile")
_READS_ADS = frozenset({"ads_read", "ads_management"})


@dataclass(frozen=True)
class MetaApp(App):
    """The app with what is signed by it."""

    @property
    def token(self) -> str:
        """The app's own token, `id|secret`."""
        return f"{self.id}|{self.secret}"

    def proof(self, token: str) -> str:
        """What appsecret_proof must be for a token."""
        return hmac.new(self.secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def token_text(call: Call) -> str:
    """The token of a call: a parameter first, else the Authorization header."""
    return call.params.get("access_token") or call.bearer


def check(issued: Issued | None, app: MetaApp, now: datetime) -> Issued:
    """A token that is good now; else the GraphError 190 that says why not."""
    if issued is None or issued.platform != PLATFORM:
        raise errors.bad_token()
    if issued.revoked is not None:
        raise errors.revoked_token(issued.revoked, app.id)
    if issued.expires_at is not None and issued.expires_at <= now:
        raise errors.expired_token(issued.expires_at, now)
    return issued


def authorize(call: Call, tokens: Tokens, app: MetaApp) -> Issued:
    """The caller's token. Fails closed: whatever is wrong with it is an error."""
    text = token_text(call)
    if not text:
        raise errors.no_token()
    issued = check(tokens.find(text), app, call.now)
    proof = call.params.get("appsecret_proof")
    if proof is not None and not hmac.compare_digest(proof.encode(), app.proof(text).encode()):
        raise errors.bad_proof()
    call.token = issued
    return issued


def may_read_ads(call: Call) -> None:
    """GraphError 200 without ads_read and ads_management."""
    if call.token is None or not _READS_ADS.intersection(call.token.scopes):
        raise errors.no_permission()
