"""What can go wrong when a mail is handed over."""

from __future__ import annotations

from adloom.errors import Unavailable


class MailFailed(Unavailable):
    """The mail was not taken. `permanent`: this very mail never will be, e.g. because its address is none.

    What the operator must mend (a wrong key, a sender that is not allowed) is not permanent: the mail goes out after.
    """

    code, title = "mail_failed", "The mail could not be handed over"

    def __init__(self, detail: str, *, permanent: bool = False, retry_after: float | None = None) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.permanent = permanent
