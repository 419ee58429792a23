"""Google Ads: the API over gRPC and TLS, and Google's log-in over HTTP."""
