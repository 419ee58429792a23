"""A request's body, up to the limit."""

from __future__ import annotations

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

# No request of ours is larger; uploads of files go to object storage.
MAX_BODY_BYTES = 1024 * 1024

# Werkzeug silently cuts a body off there that comes in chunks; one byte more than may be is read, to see that.
READ_LIMIT_BYTES = MAX_BODY_BYTES + 1


def read(request: Request) -> bytes:
    """The whole body; RequestEntityTooLarge when it is over the limit."""
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    body = request.get_data(cache=False)
    if len(body) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    return body
