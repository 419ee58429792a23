"""Google's own message classes of the version that is spoken here, taken from its SDK."""

from __future__ import annotations

from importlib import import_module
from typing import Any

VERSION = "v26"
_PACKAGE = f"google.ads.googleads.{VERSION}"
FAILURE_KEY = f"{_PACKAGE}.errors.googleadsfailure-bin"
ADS_SERVICE = f"{_PACKAGE}.services.GoogleAdsService"
CUSTOMER_SERVICE = f"{_PACKAGE}.services.CustomerService"


def _pb(module: str, name: str) -> Any:
    """The plain protobuf class under one of the SDK's."""
    return getattr(import_module(f"{_PACKAGE}.{module}"), name).pb()


_ADS = "services.types.google_ads_service"
_CUSTOMERS = "services.types.customer_service"
SearchRequest = _pb(_ADS, "SearchGoogleAdsRequest")
SearchResponse = _pb(_ADS, "SearchGoogleAdsResponse")
StreamRequest = _pb(_ADS, "SearchGoogleAdsStreamRequest")
StreamResponse = _pb(_ADS, "SearchGoogleAdsStreamResponse")
Row = _pb(_ADS, "GoogleAdsRow")
AccessibleRequest = _pb(_CUSTOMERS, "ListAccessibleCustomersRequest")
AccessibleResponse = _pb(_CUSTOMERS, "ListAccessibleCustomersResponse")
Failure = _pb("errors.types.errors", "GoogleAdsFailure")
