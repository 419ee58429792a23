"""Meta's Graph API: Marketing API reads, insights, OAuth."""
