"""The accounts of the demo world, on three platforms."""

from __future__ import annotations

from infra.sandbox.generator import shops_google, shops_meta, shops_tiktok

ACCOUNTS = (*shops_meta.ACCOUNTS, *shops_google.ACCOUNTS, *shops_tiktok.ACCOUNTS)
