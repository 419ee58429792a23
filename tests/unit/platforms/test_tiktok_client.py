"""Files that TikTok has made ready: a hanging host is a fault like any other, and none of them sees the token."""

from __future__ import annotations

import pytest

from adloom.errors import PlatformTransient
from adloom.platforms.retry import Deadline, OutOfTimeError, RetryPolicy
from adloom.platforms.tiktok.client import App, TikTokClient
from tests.unit.sandbox.support import free_port

QUICK = RetryPolicy(first_wait_s=0.01, longest_wait_s=0.02)


class OneWait(Deadline):
    """Time is up after the first wait."""

    is_over = False

    def left_s(self) -> float:
        return 0.0 if self.is_over else super().left_s()

    def sleep(self, seconds: float) -> bool:
        self.is_over = super().sleep(seconds)
        return self.is_over


def client(deadline: Deadline) -> TikTokClient:
    return TikTokClient(App("7", "secret", "http://127.0.0.1:9"), "a-token", deadline=deadline, retry=QUICK)


def test_a_download_that_failed_before_the_time_was_up_is_a_fault() -> None:
    asking = client(OneWait(60))
    with pytest.raises(PlatformTransient) as told:
        asking.download(f"http://127.0.0.1:{free_port()}/report.csv")
    asking.close()
    assert told.value.platform_code == "network/ConnectError"
    assert asking.requests == 1


def test_a_download_without_time_is_no_fault() -> None:
    asking = client(Deadline(0))
    with pytest.raises(OutOfTimeError):
        asking.download(f"http://127.0.0.1:{free_port()}/report.csv")
    asking.close()
    assert asking.requests == 0
