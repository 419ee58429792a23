"""TikTok: the Marketing API, spoken by a client of our own."""
