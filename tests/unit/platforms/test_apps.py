"""Our apps at the platforms: where they are called, and what is said where one is not set up."""

from __future__ import annotations

import pytest

from adloom.errors import Actor, OperatorMustAct
from adloom.platforms import apps
from adloom.settings import GoogleSettings, MetaSettings, TikTokSettings

SANDBOX = "http://10.62.0.1:8090"
BROWSERS = "https://demo.example.com"


class Everything(GoogleSettings, MetaSettings, TikTokSettings):
    pass


def settings(**changes):
    told = {
        "google_ads_client_id": "g", "google_ads_client_secret": "gs", "meta_app_id": "m", "meta_app_secret": "ms",
        "tiktok_app_id": "t", "tiktok_app_secret": "ts", "sandbox_google_port": 8094,
    }  # fmt: skip
    return Everything(**{**told, **changes})


def test_without_a_sandbox_the_platforms_themselves_are_called():
    real = settings()
    assert (apps.google(real).endpoint, apps.google(real).token_url) == (
        "googleads.googleapis.com", "https://oauth2.googleapis.com/token",
    )  # fmt: skip
    assert apps.tiktok(real).url == "https://business-api.tiktok.com"
    assert apps.meta(real).graph_url == "https://graph.facebook.com"


def test_beside_a_sandbox_every_call_goes_there_and_browsers_by_their_own_way():
    beside = settings(sandbox_url=SANDBOX, sandbox_browser_url=BROWSERS)
    assert (apps.google(beside).endpoint, apps.google(beside).token_url) == ("10.62.0.1:8094", f"{SANDBOX}/token")
    assert apps.tiktok(beside).url == apps.meta(beside).graph_url == SANDBOX
    oauths = (apps.google_oauth(beside), apps.meta_oauth(beside), apps.tiktok_oauth(beside))
    for oauth in oauths:
        assert _begun(oauth).startswith(f"{BROWSERS}/")
    near = settings(sandbox_url=SANDBOX)
    assert _begun(apps.tiktok_oauth(near)).startswith(f"{SANDBOX}/portal/auth?")


def test_the_browsers_way_to_a_sandbox_is_none_where_there_is_no_sandbox():
    stray = settings(sandbox_browser_url=BROWSERS)
    for oauth in (apps.google_oauth(stray), apps.tiktok_oauth(stray)):
        assert BROWSERS not in _begun(oauth)


@pytest.mark.parametrize(
    ("make", "missing", "said"),
    [
        (apps.google, "google_ads_client_id", "ADLOOM_GOOGLE_ADS_CLIENT_ID and the secret google-ads-client-secret"),
        (apps.google, "google_ads_client_secret", "set the secret google-ads-client-secret"),
        (apps.meta, "meta_app_id", "ADLOOM_META_APP_ID and the secret meta-app-secret"),
        (apps.meta_hooks, "meta_app_id", "ADLOOM_META_APP_ID and the secret meta-app-secret"),
        (apps.tiktok_oauth, "tiktok_app_secret", "set the secret tiktok-app-secret"),
    ],
)
def test_an_app_that_is_not_set_up_says_what_the_operator_sets(make, missing, said):
    with pytest.raises(OperatorMustAct, match=said) as refused:
        make(settings(**{missing: ""}))
    assert (refused.value.code, refused.value.acts) == ("platform_not_set_up", Actor.OPERATOR)


def test_a_secret_that_was_made_up_opens_the_sandbox_alone():
    made_up = {"tiktok_app_secret": f"{apps.MADE_UP}x"}
    assert apps.tiktok(settings(sandbox_url=SANDBOX, **made_up)).secret == "made-up-x"
    with pytest.raises(OperatorMustAct, match="set the secret tiktok-app-secret"):
        apps.tiktok(settings(**made_up))


@pytest.mark.parametrize("make", [apps.meta, apps.meta_oauth, apps.meta_hooks])
def test_no_way_to_meta_takes_a_secret_that_was_made_up(make):
    with pytest.raises(OperatorMustAct, match="set the secret meta-app-secret"):
        make(settings(meta_app_secret=f"{apps.MADE_UP}x"))


def _begun(oauth):
    return oauth.authorize_url(state="s", redirect_uri="https://ads.example.com/back")
