"""What goes wrong on the way by a provider. A person is told what to do; what exactly was wrong is for the log."""

from __future__ import annotations

from adloom.errors import Unauthenticated, Unavailable


class ProviderSilent(Unavailable):
    """The provider does not answer, or with something that is no answer. `reason` is for the log."""

    code, title = "sso_unreachable", "The provider does not answer"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} does not answer as it should. Try again in a minute, or log in another way.")
        self.reason = reason


class NotProven(Unauthenticated):
    """What the provider sent proves nothing. `reason` is for the log: it would help whoever tries."""

    code, title = "sso_refused", "The log-in was not accepted"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"What came back from {name} cannot be trusted, so nobody was logged in. Begin again.")
        self.reason = reason
