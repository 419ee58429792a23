"""How far back TikTok's numbers reach and move."""

from adloom.platforms.model import Cadence

# A conversion counts on the day of the click or view, up to 28 days back where an ad group says so, and two days more
# until it is reported: 30 days back, and today. TikTok keeps reports for ever; we go as far back as everywhere.
CADENCE = Cadence(recent_days=3, restatement_days=31, history_months=37)
