"""What the sync functions of all platforms have in common: their routes, their events and their tick."""

from adloom.syncing.function import serve
from adloom.syncing.settings import SyncSettings

__all__ = ["SyncSettings", "serve"]
