"""TikTok's Marketing API v1.3: accounts, objects, reports, OAuth."""
