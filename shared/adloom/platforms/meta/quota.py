"""What Meta allows: nothing that could be counted ahead. Its headers say how much is used up, and by whom.

https://developers.facebook.com/docs/marketing-api/overview/rate-limiting
"""

from adloom.platforms.quota import Quota

QUOTA = Quota("headers")
