"""What the steps show to all buyers alike, rendered once: long lists, and the untouched form.

It holds nothing of one buyer: what is chosen goes on by the form around it. Rendered for each
request, the days of step 2 alone would take longer than the rest of their page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from django import template
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from booking import language, presenters, wording
from booking.availability import Day, Flats, ReadyHouse, ReadyHouses
from booking.forms import ConfirmForm

register = template.Library()

NOON = time(12)


@register.simple_tag
def house_list(category: str, houses: ReadyHouses) -> SafeString:
    return _house_list(category, houses, get_language())


@register.simple_tag
def flat_list(flats: Flats) -> SafeString:
    return _flat_list(flats, get_language())


@register.simple_tag
def day_list(
    days: Sequence[Day], opened: Day | None, zone: ZoneInfo, *, is_move: bool = False
) -> SafeString:
    """The days of a page, and the times of the opened one under its row.

    `is_move`: a chosen time goes where the form goes, not to step 3.
    """
    this_year = timezone.localdate().year
    return _day_list(tuple(days), opened, zone, is_move, this_year, get_language())


@register.simple_tag
def about_visit(house: ReadyHouse) -> SafeString:
    """Where to come, for how long and with what."""
    return _about_visit(house, get_language())


@register.simple_tag
def empty_fields() -> SafeString:
    """The fields of step 3 before anything is filled in."""
    return _empty_fields(get_language())


# With each flat that is booked there is another list, and each may hold 100,000 flats.
@lru_cache(maxsize=16)
def _house_list(category: str, houses: ReadyHouses, _language: str | None) -> SafeString:
    context = {
        "houses": presenters.house_cards(category, houses),
        "texts_lang": language.of_texts(),
    }
    return render_to_string("booking/_house_list.html", context)


# A house of 500 flats is 40 kB in memory.
@lru_cache(maxsize=64)
def _flat_list(flats: Flats, _language: str | None) -> SafeString:
    return render_to_string("booking/_flat_list.html", {"groups": presenters.flat_groups(flats)})


# By zone, too: starts are equal when they are the same moment, whatever the clocks show.
@lru_cache(maxsize=256)
def _day_list(
    days: tuple[Day, ...],
    opened: Day | None,
    zone: ZoneInfo,
    is_move: bool,
    _this_year: int,
    _language: str | None,
) -> SafeString:
    noon = datetime.combine((opened or days[0]).date, NOON, zone)
    context = {
        "clock": presenters.house_clock(noon),
        "in_zone": wording.in_zone(noon),
        "days": presenters.day_cells(days, opened),
        "opened": opened,
        "is_move": is_move,
        "full_label": wording.day_in_words(opened.date) if opened else "",
        "groups": presenters.time_groups(opened.starts) if opened else [],
        "texts_lang": language.of_texts(),
    }
    return render_to_string("booking/_day_list.html", context)


@lru_cache(maxsize=64)
def _about_visit(house: ReadyHouse, _language: str | None) -> SafeString:
    return render_to_string("booking/_rows.html", {"rows": presenters.about_visit(house)})


@lru_cache(maxsize=8)
def _empty_fields(_language: str | None) -> SafeString:
    return render_to_string("booking/_fields.html", {"form": ConfirmForm()})
