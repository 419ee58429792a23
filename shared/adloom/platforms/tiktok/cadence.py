"""How far back TikTok's numbers reach and move."""

from adloom.platforms.model import Cadence

# A conversion counts on the day of the click or view, up to 28 days back where an ad group says so, and two days more
# until it is reported. Reports are kept for ever; what we keep of them is what the other platforms tell too.
CADENCE = Cadence(recent_days=3, restatement_days=30, history_months=37)
