import pytest

from ui.services import open_services
from ui.settings import DashboardSettings


def services(public_url, sandbox_url=None):
    return open_services(
        DashboardSettings(
            public_url=public_url,
            gateway_url="http://127.0.0.1:8080",
            database_url="postgresql://nobody@127.0.0.1/nothing",
            nats_url="nats://127.0.0.1:1",
            storage_secret="a secret of no use anywhere",
            sandbox_url=sandbox_url,
        )
    )


@pytest.mark.parametrize("url", ["https://ads.example.com", "http://ads.example.com", "https://127.0.0.1:8443"])
def test_cookies_are_secure_wherever_the_dashboard_is_reached_from_other_machines(url):
    assert services(url).https


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:8080"])
def test_cookies_are_not_secure_on_this_machine_only(url):
    assert not services(url).https


def test_sandbox_data_is_known_by_its_address():
    assert services("http://127.0.0.1:8080", "http://127.0.0.1:8090").sandbox
    assert not services("http://127.0.0.1:8080").sandbox
