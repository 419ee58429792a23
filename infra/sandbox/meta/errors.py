"""Graph errors as Meta words them."""

from __future__ import annotations

import secrets
from datetime import datetime

import msgspec


class GraphError(Exception):
    """An error answer: HTTP status and the body's `error` object."""

    def __init__(self, status: int, code: int, message: str, kind: str = "OAuthException", **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": kind, "code": code, **more}

    def body(self) -> bytes:
        """The JSON body with a trace id of its own."""
        return msgspec.json.encode({"error": {**self.error, "fbtrace_id": "A" + secrets.token_urlsafe(12)}})


def parameter(message: str, **more: int) -> GraphError:
    """A parameter is wrong: code 100."""
    return GraphError(400, 100, f"(#100) {message}", "OAuthException", **more)


def unknown_object(object_id: str, verb: str = "get") -> GraphError:
    """The object is not there or not visible: 100/33."""
    message = (
        f"Unsupported {verb} request. Object with ID '{object_id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api"
    )
    return GraphError(400, 100, message, "GraphMethodException", error_subcode=33)


def unknown_field(field: str, node: str) -> GraphError:
    """A field that this kind of object does not have."""
    return parameter(f"Tried accessing nonexisting field ({field}) on node type ({node})")


def unknown_path(path: str) -> GraphError:
    """No such edge."""
    return GraphError(400, 2500, f"Unknown path components: /{path}")


def no_token() -> GraphError:
    """A request without a token."""
    return GraphError(400, 104, "An access token is required to request this resource.")


def bad_token() -> GraphError:
    """A token that was never issued."""
    return GraphError(400, 190, "Invalid OAuth access token - Cannot parse access token")


def expired_token(expired_at: datetime, now: datetime) -> GraphError:
    """190/463."""
    words = "%A, %d-%b-%y %H:%M:%S UTC"
    message = f"Session has expired on {expired_at:{words}}. The current time is {now:{words}}."
    return GraphError(400, 190, f"Error validating access token: {message}", error_subcode=463)


_REVOKED = {
    458: "Error validating access token: The user has not authorized application {app}.",
    459: "Error validating access token: You cannot access the app till you log in to www.facebook.com and follow the "
    "instructions given.",
    460: "Error validating access token: The session has been invalidated because the user changed their password or "
    "Facebook has changed the session for security reasons.",
    467: "Error validating access token: The session was explicitly invalidated using an API call.",
}


def revoked_token(subcode: int, app_id: str) -> GraphError:
    """190 with the reason as its subcode."""
    message = _REVOKED.get(subcode, "Invalid OAuth access token.").format(app=app_id)
    return GraphError(400, 190, message, error_subcode=subcode)


def bad_proof() -> GraphError:
    """The appsecret_proof does not belong to the token."""
    return GraphError(400, 100, "Invalid appsecret_proof provided in the API argument", "GraphMethodException")


def dead_version(newest: str) -> GraphError:
    """2635."""
    message = (
        f"(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version: {newest}."
    )
    return GraphError(400, 2635, message)


def no_permission() -> GraphError:
    """The person did not grant ads_read nor ads_management."""
    return GraphError(403, 200, "(#200) Ad account owner has NOT grant ads_management or ads_read permission")


def unknown_error() -> GraphError:
    """A fault of the sandbox itself looks like one of Meta's."""
    return GraphError(500, 1, "An unknown error occurred")
