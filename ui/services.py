"""What the pages work with: made once at start, handed to every page, nowhere a global."""

from __future__ import annotations

from dataclasses import dataclass, field

from adloom.db import Database
from ui.cookies import Cookies
from ui.forms import origins
from ui.gateway import Gateway
from ui.live import EventHub
from ui.reads.deployment import Deployment
from ui.renewals import Renewals
from ui.sessions import Sessions
from ui.settings import DashboardSettings


@dataclass(frozen=True)
class Services:
    settings: DashboardSettings
    database: Database
    gateway: Gateway
    sessions: Sessions
    hub: EventHub
    deployment: Deployment
    renewals: Renewals = field(default_factory=Renewals)

    @property
    def sandbox(self) -> bool:
        """Whether the numbers come from the sandbox, which every page says."""
        return bool(self.settings.sandbox_url)

    @property
    def https(self) -> bool:
        """Whether cookies can be Secure."""
        return not self.settings.is_loopback_http

    @property
    def cookies(self) -> Cookies:
        return Cookies(https=self.https)

    @property
    def form_secret(self) -> str:
        return self.settings.storage_secret.get_secret_value()

    @property
    def origins(self) -> frozenset[str]:
        return origins(self.settings.public_url)


def open_services(settings: DashboardSettings) -> Services:
    """Connect what is connected lazily; nothing is called yet."""
    gateway, hub = Gateway(settings.gateway_url), EventHub(settings.nats_url.get_secret_value())
    return Services(
        settings=settings,
        database=Database(
            settings.database_url.get_secret_value(), pool_size=settings.database_pool, application_name="dashboard"
        ),
        gateway=gateway,
        sessions=Sessions(gateway, hub),
        hub=hub,
        deployment=Deployment(gateway),
    )
