"""Mails through Resend, by its SDK."""

from __future__ import annotations

import base64
from uuid import UUID

from adloom.mail.errors import MailFailed
from adloom.mail.message import LOGO_ID, Message, logo

# What Resend says of the mail itself (https://resend.com/docs/api-reference/errors): the same again cannot be taken.
# Everything else passes, or is the operator's: a key, a domain that is not verified, a quota.
_PERMANENT = frozenset({"missing_required_field", "missing_required_fields", "invalid_parameter"})
_UNPROCESSABLE = 422
_TIMEOUT_S = 20


class ResendMailer:
    """`sender` as `Adloom <adloom@example.com>`."""

    def __init__(self, key: str, sender: str, api: str) -> None:
        self._key = key
        self._sender = sender
        self._api = api.rstrip("/")

    def send(self, message: Message, mail_id: UUID) -> str:
        """Hand a mail over; Resend's id of it. The same `mail_id` within a day sends nothing twice.

        MailFailed says whether it is worth another try.
        """
        import resend  # 0.2 s, so only where a mail is sent
        from resend.exceptions import ResendError

        resend.api_key, resend.api_url = self._key, self._api
        resend.default_http_client = resend.RequestsClient(timeout=_TIMEOUT_S)
        try:
            answer = resend.Emails.send(
                {
                    "from": self._sender,
                    "to": [message.address],
                    "subject": message.subject,
                    "text": message.text,
                    "html": message.html,
                    "attachments": [
                        {
                            "filename": "logo.png",
                            "content": base64.b64encode(logo()).decode(),
                            "content_type": "image/png",
                            "content_id": LOGO_ID,
                        }
                    ],
                },
                {"idempotency_key": str(mail_id)},
            )
        except ResendError as error:
            raise _failed(error.code, str(error.error_type), error.headers) from error
        return str(answer["id"])


def _failed(status: int | str, kind: str, headers: dict[str, str]) -> MailFailed:
    """Never with Resend's sentence, which may repeat the mail."""
    wait = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    return MailFailed(
        f"Resend answered {status} {kind}",
        permanent=kind in _PERMANENT or (kind == "validation_error" and str(status) == str(_UNPROCESSABLE)),
        retry_after=float(wait) if wait.isdigit() else None,
    )
