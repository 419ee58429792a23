"""How far back Meta's numbers reach and move."""

from adloom.platforms.model import Cadence

# Numbers move for 28 days after their day and are frozen then; insights reach back 37 months (error 3018 beyond).
# https://developers.facebook.com/docs/marketing-api/insights/best-practices
CADENCE = Cadence(recent_days=3, restatement_days=29, history_months=37)
