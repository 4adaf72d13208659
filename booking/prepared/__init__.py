"""What the three steps show, drawn once for everybody who sees the same.

On such pages the template is the cost: a list of days takes longer to draw than to find out. Two
buyers see the same page, save for a few texts and for the addresses in its links, which carry each
one's own answers. So the content of a page is drawn once for all, with marks in the places of
those, and kept for as long as nothing else in it changes. It is drawn without the request: nothing
of one buyer gets into the page of another. What stands around the content is drawn so, too.
"""

from booking.prepared.day_and_time import times
from booking.prepared.frame import page
from booking.prepared.house_and_flat import place, search
from booking.prepared.last_step import check_answers, fields, untouched_fields

__all__ = ["check_answers", "fields", "page", "place", "search", "times", "untouched_fields"]
