"""Google: accounts, entities, metrics and their reconciliation."""

from __future__ import annotations

from adloom.events import SyncGoogleRequested
from adloom.metrics.sync import Access
from adloom.platforms import apps
from adloom.platforms.google import quota
from adloom.platforms.google.cadence import CADENCE
from adloom.platforms.model import Reader
from adloom.platforms.quota import Quota
from adloom.settings import GoogleSettings
from adloom.syncing import SyncSettings, serve
from adloom.web import create_function, openfaas


class SyncGoogleSettings(SyncSettings, GoogleSettings):
    pass


app = create_function("sync-google", SyncGoogleSettings)


def open_reader(access: Access) -> Reader:
    from adloom.platforms.google import roots  # the SDK, which only a call to Google needs
    from adloom.platforms.google.client import GoogleClient
    from adloom.platforms.google.read import GoogleReader

    settings = app.settings()
    google = apps.google(settings)
    if settings.sandbox_url:
        roots.trust(settings.sandbox_url)
    client = GoogleClient(google, access.token, deadline=access.deadline, admit=access.admit)
    known = {access.account: access.login} if access.account and access.login else {}
    return GoogleReader(client, known)


def allowed() -> Quota:
    settings = app.settings()
    return quota.of(settings.google_ads_tier, is_sandbox=bool(settings.sandbox_url))


serve(
    app,
    platform="google",
    requested=SyncGoogleRequested,
    cadence=CADENCE,
    open_reader=open_reader,
    quota=allowed,
)
handle = openfaas(app)
