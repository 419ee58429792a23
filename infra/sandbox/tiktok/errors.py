"""Errors as TikTok words them: HTTP 200, and a code in the envelope."""

from __future__ import annotations

# A fault of the sandbox itself looks like one of TikTok's.
SYSTEM_ERROR = 50000


class TikTokError(Exception):
    """An envelope with a code that is not 0."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def parameter(message: str) -> TikTokError:
    """A parameter is missing or wrong."""
    return TikTokError(40002, message)


def missing(name: str) -> TikTokError:
    """A required parameter is not there."""
    return parameter(f"{name}: Missing data for required field.")


def too_many_ids(name: str, most: int) -> TikTokError:
    """A list of ids is longer than the endpoint takes."""
    return TikTokError(40011, f"{name}: Longer than maximum length {most}.")


def query_too_large() -> TikTokError:
    """A report of this size is refused."""
    return TikTokError(40067, "The query is too large. Please narrow the time range or the number of objects.")


def no_permission(advertiser_id: str) -> TikTokError:
    """The advertiser is not one of the token's, or is gone."""
    return TikTokError(40001, f"No permission to operate advertiser {advertiser_id}")


def wrong_app() -> TikTokError:
    """App id and secret are not those of an app."""
    return TikTokError(40101, "The app_id or secret is incorrect.")


def no_token() -> TikTokError:
    """A request without the header."""
    return TikTokError(40104, "Access token is empty.")


def bad_token() -> TikTokError:
    """A token that was never issued, or was taken back."""
    return TikTokError(40105, "Access token is incorrect or has been revoked.")


def expired_token() -> TikTokError:
    """A token that has ended."""
    return TikTokError(40102, "Access token has expired.")


def no_scope(scope: int) -> TikTokError:
    """The app was not granted the scope that an endpoint needs."""
    return TikTokError(40130, f"The scope {scope} is not authorized for this access token.")
