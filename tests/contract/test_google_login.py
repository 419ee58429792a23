"""Our log-in at the sandbox's Google."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from adloom import errors
from adloom.platforms.google.client import App
from adloom.platforms.google.oauth import SCOPE_ADS, GoogleOAuth
from tests.contract.test_sandbox_google_oauth import CHALLENGE, VERIFIER
from tests.unit.sandbox.google import CLIENT_ID, CLIENT_SECRET, Google, google, row
from tests.unit.sandbox.support import REDIRECT, facts


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Google]:
    folder = facts(tmp_path_factory.mktemp("facts"), row(date="2026-03-01"))
    with google(tmp_path_factory.mktemp("home"), folder, "2026-03-03T12:30:00+00:00") as started:
        started.sandbox.faults()
        yield started


def flow(platform: Google, secret: str = CLIENT_SECRET) -> GoogleOAuth:
    url = platform.sandbox.url
    app = App(CLIENT_ID, secret, platform.endpoint, platform.token_url)
    return GoogleOAuth(
        app, authorize_url=f"{url}/o/oauth2/v2/auth", revoke_url=f"{url}/revoke", person_url=f"{url}/v1/userinfo"
    )


def code(platform: Google, granted: list[str] | None = None) -> str:
    address = flow(platform).authorize_url(state="s", redirect_uri=REDIRECT, challenge=CHALLENGE)
    form: dict[str, object] = {"decision": "allow"}
    if granted is not None:
        form |= {"choices": "1", "granted": granted}
    return str(httpx.URL(httpx.post(address, data=form).headers["location"]).params["code"])


def test_a_person_lets_us_in_and_out_again(platform: Google) -> None:
    grant = flow(platform).exchange(code=code(platform), redirect_uri=REDIRECT, verifier=VERIFIER)
    assert SCOPE_ADS in grant.scopes
    assert (grant.name, grant.expires_at) == ("person@sandbox.example", None)
    with platform.client(grant.token) as client:
        assert client.accessible() == ["9000000001"]
    flow(platform).revoke(grant.token)
    flow(platform).revoke(grant.token)
    with platform.client(grant.token) as client, pytest.raises(errors.ConnectionBroken):
        client.accessible()


def test_a_code_needs_its_verifier_and_is_good_once(platform: Google) -> None:
    once = code(platform)
    with pytest.raises(errors.ConnectionBroken):
        flow(platform).exchange(code=once, redirect_uri=REDIRECT, verifier="w" * 64)
    flow(platform).exchange(code=once, redirect_uri=REDIRECT, verifier=VERIFIER)
    with pytest.raises(errors.ConnectionBroken) as caught:
        flow(platform).exchange(code=once, redirect_uri=REDIRECT, verifier=VERIFIER)
    assert caught.value.code == "grant_refused"


def test_a_right_that_was_not_ticked_is_told(platform: Google) -> None:
    with pytest.raises(errors.ConnectionBroken) as caught:
        flow(platform).exchange(code=code(platform, ["openid"]), redirect_uri=REDIRECT, verifier=VERIFIER)
    assert caught.value.code == "scopes_missing"


def test_a_wrong_secret_is_the_operators_affair(platform: Google) -> None:
    with pytest.raises(errors.OperatorMustAct):
        flow(platform, "wrong").exchange(code=code(platform), redirect_uri=REDIRECT, verifier=VERIFIER)


def test_an_error_page_is_a_passing_fault(platform: Google) -> None:
    platform.sandbox.faults({"match": {"path": "^token"}, "fault": {"kind": "html_502"}})
    with pytest.raises(errors.PlatformTransient):
        flow(platform).exchange(code=code(platform), redirect_uri=REDIRECT, verifier=VERIFIER)
