"""Meta: the Graph API behind the official SDK's session."""
