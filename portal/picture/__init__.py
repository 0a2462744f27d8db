"""A convention's life as a picture (SVG): terms, renewals, opt-out windows, due dates, deliveries, destruction.

picture(show(convention, events, now), calendar_entries(convention, events, start, end), "fr", start, end)
"""

from portal.picture.done import done
from portal.picture.life import picture

__all__ = ["done", "picture"]
