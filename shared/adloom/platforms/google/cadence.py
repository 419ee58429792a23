"""How far back Google's numbers reach and move."""

from adloom.platforms.model import Cadence

# A conversion counts on the day of its click, 30 days back by default and at most 90: 30 days back, and today. Days are
# kept for 37 months.
# https://support.google.com/google-ads/answer/2544985
CADENCE = Cadence(recent_days=3, restatement_days=31, history_months=37)
