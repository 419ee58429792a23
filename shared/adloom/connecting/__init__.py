"""What `oauth-callback` answers and looks after: log-ins at ad platforms, and what becomes of them."""

from adloom.connecting.function import serve
from adloom.connecting.settings import OAuthCallbackSettings

__all__ = ["OAuthCallbackSettings", "serve"]
