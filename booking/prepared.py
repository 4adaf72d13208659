"""What the three steps show, drawn once for everybody who sees the same.

On such pages the template is the cost: a list of days takes longer to draw than to find out. Two
buyers see the same page, save for a few texts and for the addresses in its links, which carry each
one's own answers. So the content of a page is drawn once for all, with marks in the places of
those, and kept for as long as nothing else in it changes. It is drawn without the request: nothing
of one buyer gets into the page of another. What stands around the content is drawn so, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from booking import context_processors, language, pages, wording
from booking.availability import Day, DaysPage, DayState, Flats, House, Houses
from booking.crm import Flat
from booking.flat_numbers import folded
from booking.forms import WALL_TIME, Answers, ConfirmForm, shown_now
from booking.marks import GAP, Drawn, MarkedLinks, mark

# More of them on one day are shown by the part of the day.
FEW_TIMES = 8

CATEGORY_LINKS = MarkedLinks("category")
HOUSE_LINKS = MarkedLinks("house")
FLAT_LINKS = MarkedLinks("flat")
DAY_LINKS = MarkedLinks("day")
TIME_LINKS = MarkedLinks("time")


@dataclass(frozen=True, slots=True)
class Tab:
    label: Promise
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class HouseCard:
    title: str
    address: str
    note: str
    url: str


@dataclass(frozen=True, slots=True)
class Chip:
    label: str
    url: str
    full_label: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class DayRow:
    weekday: str
    day: str
    state: DayState
    note: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class TimeGroup:
    """Times of a part of the day; without a label where they are few."""

    label: str
    times: list[Chip]


@dataclass(frozen=True, slots=True)
class DayWithTimes:
    full_label: str
    state: DayState
    explanation: str
    groups: list[TimeGroup]


def page(
    template: str,
    content: SafeString,
    ways: Mapping[str, str],
    languages: Sequence[language.Link],
    **facts: Hashable,
) -> SafeString:
    """The whole page of a step, with the links around it.

    `facts` are what its template wants to know beside the content.
    """
    own = {"content": content, **ways, **{_url_in(link): link.url for link in languages}}
    drawn = _frame(
        template,
        tuple(facts.items()),
        tuple(context_processors.everywhere().items()),
        tuple(ways),
        tuple(replace(link, url=mark(_url_in(link))) for link in languages),
        get_language(),
    )
    return drawn.filled(own)


@lru_cache(maxsize=64)
def _frame(
    template: str,
    facts: tuple[tuple[str, Hashable], ...],
    everywhere: tuple[tuple[str, Hashable], ...],
    ways: tuple[str, ...],
    languages: tuple[language.Link, ...],
    _language: str | None,
) -> Drawn:
    known = dict(facts) | dict(everywhere) | {name: mark(name) for name in ways}
    return _drawn(template, {**known, "languages": languages, "content": mark("content")})


def _url_in(link: language.Link) -> str:
    return f"url_{link.code}"


# Step 1


def place(
    answers: Answers, listed: Houses, house: House | None, *, notice: str, search: str
) -> SafeString:
    """Step 1: the choice of a house or, in a house, of a flat.

    `notice` and `search` are markup: what is wrong, and the form for a flat's number.
    """
    own = {"notice": notice, "search": search}
    offered, phone = tuple(settings.BOOKING_CATEGORIES), settings.SUPPORT_PHONE
    if len(offered) > 1:
        elsewhere = answers.but(category=GAP, house="", flat="")
        own |= CATEGORY_LINKS.own(elsewhere.choose_flat_url())
    if house:
        own |= FLAT_LINKS.own(answers.but(flat=GAP).after_flat_url())
        own["to_houses"] = answers.but(house="", flat="").choose_flat_url()
        drawn = _flats(answers.category, offered, house, phone, get_language())
    else:
        own |= HOUSE_LINKS.own(answers.but(house=GAP).choose_flat_url())
        drawn = _houses(answers.category, offered, listed, phone, get_language())
    return drawn.filled(own)


# With each flat that leaves the list there is another list, and each may hold 100,000 flats.
@lru_cache(maxsize=16)
def _houses(
    category: str, offered: tuple[str, ...], listed: Houses, phone: str, _language: str | None
) -> Drawn:
    context = {
        "nothing_ready": not listed.houses,
        "houses": _cards(category, listed),
        **_around_choices(category, offered, phone),
    }
    return _drawn("booking/_choose_flat.html", context)


# A house of 500 flats is 150 kB in memory.
@lru_cache(maxsize=64)
def _flats(
    category: str, offered: tuple[str, ...], house: House, phone: str, _language: str | None
) -> Drawn:
    context = {
        "where": pages.where(house),
        "change_house_url": mark("to_houses"),
        "search": mark("search"),
        "flats": _chips(house.flats),
        "not_listed": wording.NOT_LISTED[category],
        **_around_choices(category, offered, phone),
    }
    return _drawn("booking/_choose_flat.html", context)


def _around_choices(category: str, offered: tuple[str, ...], phone: str) -> dict[str, object]:
    return {
        "notice": mark("notice"),
        "question": wording.CATEGORY_QUESTIONS[category],
        "categories": _tabs(category, offered),
        **_support(phone),
    }


def search(answers: Answers, house: House, found: Sequence[Flat], error: str) -> SafeString:
    """The form for a flat's number, and the flats that the typed one may mean, error or not."""
    given = _hidden(answers.but(flat="").fields("category", "house", "date", "start"))
    example = house.flats[0].label
    if not answers.flat and not error:
        return _untouched_search(answers.category, example, get_language()).filled(
            {"hidden": given}
        )
    context = {
        "label": wording.CATEGORY_LABELS[answers.category],
        "example": example,
        "hidden": given,
        "typed": answers.flat,
        "error": error,
        "matches": pages.match_links(answers, found),
    }
    return render_to_string("booking/_search.html", context)


@lru_cache(maxsize=256)
def _untouched_search(category: str, example: str, _language: str | None) -> Drawn:
    context = {
        "label": wording.CATEGORY_LABELS[category],
        "example": example,
        "hidden": mark("hidden"),
    }
    return _drawn("booking/_search.html", context)


def _tabs(current: str, offered: Sequence[str]) -> list[Tab]:
    return [
        Tab(wording.CATEGORY_NAMES[category], CATEGORY_LINKS.to(category), category == current)
        for category in offered
        if len(offered) > 1
    ]


def _cards(category: str, listed: Houses) -> list[HouseCard]:
    return [
        HouseCard(
            wording.unbroken(house.title),
            wording.unbroken(house.address),
            wording.ready_count(category, len(house.flats)),
            HOUSE_LINKS.to(house.id),
        )
        for house in listed.houses
    ]


def _chips(flats: Flats) -> list[Chip]:
    spelled = Counter(folded(flat.label) for flat in flats)
    return [
        Chip(
            flat.label,
            FLAT_LINKS.to(flat.number),
            # "K-7" and «К-7» look the same to everybody.
            note=wording.alphabet(flat.label) if spelled[folded(flat.label)] > 1 else "",
        )
        for flat in flats
    ]


# Step 2


def times(
    answers: Answers, house: House, flat: str, page: DaysPage, opened: Day | None, notice: str
) -> SafeString:
    """Step 2: what was chosen, the days, and the times of the one that is opened.

    `notice` is markup: what is wrong, if something is.
    """
    clock = pages.house_clock(timezone.now().astimezone(house.zone))
    own = {
        **_own_choices(answers.but(start=""), flat),
        **DAY_LINKS.own(answers.but(date=GAP, start="").choose_time_url()),
        **TIME_LINKS.own(answers.but(start=GAP, date="").confirm_url()),
        "notice": notice,
        "clock_note": clock.note,
        "clock_moment": clock.iso,
        "clock_offset": str(clock.offset_minutes),
    }
    drawn = _times(
        answers.category,
        house,
        page,
        opened and opened.date,
        timezone.localdate().year,
        settings.SUPPORT_PHONE,
        get_language(),
    )
    return drawn.filled(own)


@lru_cache(maxsize=256)
def _times(
    category: str,
    house: House,
    page: DaysPage,
    opened: date | None,
    _this_year: int,
    phone: str,
    _language: str | None,
) -> Drawn:
    day = next((day for day in page.days if day.date == opened), None)
    context = {
        "notice": mark("notice"),
        "back_url": mark("to_flats"),
        "chosen": _choices(category, house),
        "clock": {
            "note": mark("clock_note"),
            "iso": mark("clock_moment"),
            "offset_minutes": mark("clock_offset"),
        },
        "days": [_day_row(each, is_current=each is day) for each in page.days],
        "day": _with_times(day) if day else None,
        "earlier_url": _to_day(page.earlier),
        "later_url": _to_day(page.later),
        "nothing_free": all(day.state is DayState.FULL for day in page.days),
        **_support(phone),
    }
    return _drawn("booking/_choose_time.html", context)


def _day_row(day: Day, *, is_current: bool) -> DayRow:
    return DayRow(
        weekday=wording.weekday(day.date),
        day=wording.day_and_month(day.date),
        state=day.state,
        note=wording.day_note(day),
        url=_to_day(day.date),
        is_current=is_current,
    )


def _to_day(day: date | None) -> str:
    return DAY_LINKS.to(day.isoformat()) if day else ""


def _with_times(day: Day) -> DayWithTimes:
    return DayWithTimes(
        full_label=wording.day_in_words(day.date),
        state=day.state,
        explanation=day.explanation,
        groups=_time_groups(day.starts),
    )


def _time_groups(starts: Sequence[datetime]) -> list[TimeGroup]:
    if len(starts) <= FEW_TIMES:
        parts = [("", starts)] if starts else []
    else:
        by_part = groupby(starts, key=wording.part_of_day)
        parts = [(label, list(of_part)) for label, of_part in by_part]
    return [TimeGroup(label, [_time(start) for start in of_part]) for label, of_part in parts]


def _time(start: datetime) -> Chip:
    url = TIME_LINKS.to(start.strftime(WALL_TIME))
    return Chip(wording.clock(start), url, wording.day_and_time(start))


# Step 3


def check_answers(
    answers: Answers,
    house: House,
    flat: str,
    start: datetime,
    *,
    notice: str,
    fields: SafeString,
    csrf_token: str,
) -> SafeString:
    """Step 3: all that was chosen, and the form; `fields` are its own, `notice` is markup."""
    day = start.date().isoformat()
    names = ("category", "house", "flat", "start", "after")
    own = {
        **_own_choices(answers, flat),
        "to_times": answers.but(date=day, start="").choose_time_url(),
        "notice": notice,
        "action": answers.confirm_url(),
        "hidden": _hidden(answers.fields(*names)),
        "fields": fields,
        "csrf_token": csrf_token,
    }
    drawn = _check_answers(
        answers.category,
        house,
        start,
        timezone.localdate().year,
        settings.PRIVACY_POLICY_URL,
        get_language(),
    )
    return drawn.filled(own)


@lru_cache(maxsize=256)
def _check_answers(
    category: str,
    house: House,
    start: datetime,
    _this_year: int,
    privacy_policy_url: str,
    _language: str | None,
) -> Drawn:
    context = {
        "notice": mark("notice"),
        "back_url": mark("to_times"),
        "chosen": [*_choices(category, house), pages.time_row(start, mark("to_times"))],
        "clock": pages.house_clock(start),
        "action": mark("action"),
        "hidden": mark("hidden"),
        "fields": mark("fields"),
        "csrf_token": mark("csrf_token"),
        "privacy_policy_url": privacy_policy_url,
        "submit_label": _("Book for {when}").format(when=wording.for_day_at(start)),
    }
    return _drawn("booking/_confirm.html", context)


def untouched_fields(key: UUID) -> SafeString:
    """The form's fields as they are for who has not filled in anything."""
    return _untouched_fields(get_language()).filled({"key": str(key), "shown": shown_now()})


@lru_cache(maxsize=8)
def _untouched_fields(_language: str | None) -> Drawn:
    return Drawn.of(fields(ConfirmForm(initial={"key": mark("key"), "shown": mark("shown")})))


def fields(form: ConfirmForm) -> SafeString:
    return render_to_string("booking/_fields.html", {"form": form})


def _hidden(given: Sequence[tuple[str, str]]) -> SafeString:
    fields = SafeString()
    for name, value in given:
        fields += _hidden_field(name, value)
    return fields


@lru_cache(maxsize=1024)
def _hidden_field(name: str, value: str) -> SafeString:
    return format_html('<input type="hidden" name="{}" value="{}">', name, value)


# Steps 2 and 3


def _own_choices(answers: Answers, flat: str) -> dict[str, str]:
    return {
        "number": flat,
        "to_houses": answers.but(house="", flat="").choose_flat_url(),
        "to_flats": answers.but(flat="").choose_flat_url(),
    }


def _choices(category: str, house: House) -> list[pages.Row]:
    name = wording.object_name(category, mark("number"))
    return pages.chosen_rows(house, name, mark("to_houses"), mark("to_flats"))


def _support(phone: str) -> dict[str, str]:
    """Whom to call, as every page has it."""
    return {"support_phone": phone, "support_phone_href": wording.tel(phone)}


def _drawn(template: str, context: Mapping[str, object]) -> Drawn:
    shown = {"texts_lang": language.of_texts(), **context}
    return Drawn.of(render_to_string(template, shown))
