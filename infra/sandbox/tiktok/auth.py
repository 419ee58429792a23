"""Who is calling: the app, the token in the header, and which advertisers and scopes it was granted."""

from __future__ import annotations

from infra.sandbox.facts.model import Account
from infra.sandbox.tiktok import errors
from infra.sandbox.tiktok.call import Call
from infra.sandbox.tokens import Issued, Tokens
from infra.sandbox.world import World

PLATFORM = "tiktok"
PERSON_ID = "7043278000000000007"
PERSON_NAME = "Sandbox Person"
PERSON_EMAIL = "s***n@example.com"
# Numbers of the portal's permission tree: 1 accounts, 2 ads, 4 reporting, 6 creatives; 200 and so on below them.
SCOPE_ACCOUNTS, SCOPE_ADS, SCOPE_REPORTING, SCOPE_CREATIVES = 1, 2, 4, 6
SCOPE_NAMES = {
    SCOPE_ACCOUNTS: "Ad account management",
    SCOPE_ADS: "Ads management",
    SCOPE_REPORTING: "Reporting",
    SCOPE_CREATIVES: "Creative management",
}
DEFAULT_SCOPES = tuple(SCOPE_NAMES)
# A scope covers those below it.
_BELOW = {200: SCOPE_ADS, 210: SCOPE_ADS, 220: SCOPE_ADS}


def authorize(call: Call, tokens: Tokens) -> Issued:
    """The caller's token. Fails closed: whatever is wrong with it is an error."""
    if not call.token_text:
        raise errors.no_token()
    issued = tokens.find(call.token_text)
    if issued is None or issued.platform != PLATFORM or issued.revoked is not None:
        raise errors.bad_token()
    if issued.expires_at is not None and issued.expires_at <= call.now:
        raise errors.expired_token()
    call.token = issued
    return issued


def may(call: Call, scope: int) -> None:
    """TikTokError 40130 without a scope or one above it."""
    granted = {int(one) for one in call.token.scopes} if call.token else set()
    if scope not in granted and _BELOW.get(scope) not in granted:
        raise errors.no_scope(scope)


def granted(world: World, issued: Issued, call: Call) -> list[Account]:
    """The advertisers that the token covers."""
    return [account for account in world.living(PLATFORM, call.now) if account.id not in issued.withheld]


def advertiser(world: World, call: Call) -> Account:
    """The account that a call names."""
    wanted = call.needed("advertiser_id")
    if call.token is not None:
        for account in granted(world, call.token, call):
            if account.id == wanted:
                return account
    raise errors.no_permission(wanted)
