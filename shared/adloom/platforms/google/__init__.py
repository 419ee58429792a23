"""Google Ads, read with Google's own SDK."""
