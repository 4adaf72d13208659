"""Texts for buyers: states, errors, dates and phones. Russian is in the catalogue."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext as _
from phonenumber_field.phonenumber import PhoneNumber

from booking.availability import Day, DayState
from booking.models import Booking, VisitState
from booking.typed_phones import Mistake, PhoneError

NBSP = "\N{NO-BREAK SPACE}"

# Words that must stay on one line with the number or name that follows.
SHORT_WORD = re.compile(
    r"\b((?:дом|д\.|корпус|корп\.|строение|стр\.|секция)(?= \d)"
    r"|(?:ул\.|пр\.|просп\.|пер\.|пл\.|г\.|ЖК)) ",
    re.IGNORECASE,
)

DIGIT = re.compile(r"\d")

# Kinds of objects: as a choice, as the question of step 1, as a field's label.
CATEGORY_NAMES: dict[str, Promise] = {
    "flat": gettext_lazy("Flat"),
    "garage": gettext_lazy("Parking space"),
    "storageroom": gettext_lazy("Storage room"),
    "comm": gettext_lazy("Commercial premises"),
}
CATEGORY_QUESTIONS: dict[str, Promise] = {
    "flat": gettext_lazy("Which flat are you receiving?"),
    "garage": gettext_lazy("Which parking space are you receiving?"),
    "storageroom": gettext_lazy("Which storage room are you receiving?"),
    "comm": gettext_lazy("Which premises are you receiving?"),
}

# The text of the consent. Change the version with it; each booking keeps its version.
CONSENT = gettext_lazy("I consent to the processing of my personal data")
CONSENT_VERSION = "2026-11-26"

CATEGORY_LABELS: dict[str, Promise] = {
    "flat": gettext_lazy("Flat number"),
    "garage": gettext_lazy("Number of the parking space"),
    "storageroom": gettext_lazy("Number of the storage room"),
    "comm": gettext_lazy("Number of the premises"),
}
# Headings above the reasons why an object may not be listed.
NOT_LISTED: dict[str, Promise] = {
    "flat": gettext_lazy("Can't find your flat?"),
    "garage": gettext_lazy("Can't find your parking space?"),
    "storageroom": gettext_lazy("Can't find your storage room?"),
    "comm": gettext_lazy("Can't find your premises?"),
}

TITLES: dict[VisitState, Promise] = {
    VisitState.SENDING: gettext_lazy("We are checking your booking"),
    VisitState.EXPECTED: gettext_lazy("You are booked"),
    VisitState.OVER: gettext_lazy("The time of this visit has passed"),
    VisitState.CALLED_OFF: gettext_lazy("The visit is cancelled"),
    VisitState.REFUSED: gettext_lazy("You are not booked"),
    VisitState.NOT_SENT: gettext_lazy("The booking was not sent"),
    VisitState.IN_DOUBT: gettext_lazy("We are checking your booking"),
}
NOT_YET_KNOWN = gettext_lazy(
    "We have sent your booking, but there is no answer yet. The time may already be yours."
)
# Only what is known about a visit; {when} is its time.
LEADS: dict[VisitState, Promise] = {
    VisitState.SENDING: NOT_YET_KNOWN,
    VisitState.EXPECTED: gettext_lazy("We expect you {when}"),
    VisitState.OVER: gettext_lazy("The visit was {when}."),
    VisitState.MOVED: gettext_lazy("You are not expected {when} any more."),
    VisitState.CALLED_OFF: gettext_lazy(
        "It will not take place {when}: there is no need to come. If you still need a visit,"
        " choose another time."
    ),
    VisitState.NOT_SENT: gettext_lazy(
        "Our booking system does not answer. You have lost nothing: try again in a minute."
    ),
    VisitState.IN_DOUBT: NOT_YET_KNOWN,
}
CALENDAR_NOTES: dict[VisitState, Promise] = {
    VisitState.MOVED: gettext_lazy(
        "If the visit is in your calendar, update the calendar: the entry will move to the new"
        " time."
    ),
    VisitState.CALLED_OFF: gettext_lazy(
        "If the visit is in your calendar, update the calendar: the entry will be marked as"
        " cancelled. Or delete it yourself."
    ),
}
CORRECTION = gettext_lazy(
    "This page said otherwise before. That was our mistake, and we are sorry."
)
REFUSALS: dict[str, Promise] = {
    "resolved": gettext_lazy(
        "We have checked: our booking system did not take this booking. Please book again."
    ),
    "slot_taken": gettext_lazy("This time has just been taken by somebody else."),
    "busy": gettext_lazy(
        "Our booking system is getting too many requests just now. Try again in a minute."
    ),
    "misconfigured": gettext_lazy(
        "Our booking system did not accept the request. This is our fault, not yours: please call"
        " us and we will book you by phone."
    ),
}
# The same text for a phone that does not match and for a flat with a visit, to reveal neither.
REFUSED_OTHERWISE = gettext_lazy(
    "Perhaps this is not the phone in the contract, or you or another owner have booked a visit"
    " for {what} already."
)
BOOKED_FOR = {
    "flat": pgettext_lazy("a visit for", "this flat"),
    "garage": pgettext_lazy("a visit for", "this parking space"),
    "storageroom": pgettext_lazy("a visit for", "this storage room"),
    "comm": pgettext_lazy("a visit for", "these premises"),
}
TOO_MANY: dict[str, Promise] = {
    "phones_of_client": gettext_lazy(
        "A wrong phone was entered too often for this flat. Try again after {until}, or call us. If"
        " you are booked already, your booking stands."
    ),
    "flats_of_client": gettext_lazy(
        "This phone was tried for too many flats. Try again after {until}, or call us. If you are"
        " booked already, your booking stands."
    ),
    "requests_of_client": gettext_lazy(
        "You have sent several requests already. Send the next one after {until}, or call us."
    ),
}
KINDS = {
    "flat": pgettext_lazy("before a number", "flat"),
    "garage": pgettext_lazy("before a number", "parking space"),
    "storageroom": pgettext_lazy("before a number", "storage room"),
    "comm": pgettext_lazy("before a number", "premises"),
}

# Lengths of a visit that have a word of their own, by minutes.
HALF_HOURS: dict[int, Promise] = {
    30: gettext_lazy("about half an hour"),
    60: gettext_lazy("about an hour"),
    90: gettext_lazy("about an hour and a half"),
    120: gettext_lazy("about two hours"),
}
# What a number that is not listed is one of, in the genitive; the question where its house is not
# known; the sentence where there is none of a kind.
OF_KIND = {
    "flat": pgettext_lazy("there is no", "Flat"),
    "garage": pgettext_lazy("there is no", "Parking space"),
    "storageroom": pgettext_lazy("there is no", "Storage room"),
    "comm": pgettext_lazy("there is no", "Premises"),
}
WHICH_HOUSE: dict[str, Promise] = {
    "flat": gettext_lazy("In which house is your flat {number}?"),
    "garage": gettext_lazy("In which house is your parking space {number}?"),
    "storageroom": gettext_lazy("In which house is your storage room {number}?"),
    "comm": gettext_lazy("In which house are your premises {number}?"),
}
NOTHING_READY: dict[str, Promise] = {
    "flat": gettext_lazy("No flats are ready for handover just now."),
    "garage": gettext_lazy("No parking spaces are ready for handover just now."),
    "storageroom": gettext_lazy("No storage rooms are ready for handover just now."),
    "comm": gettext_lazy("No premises are ready for handover just now."),
}
SHORT_FLAT = pgettext_lazy("short, before a number", "flat")

# By `date.weekday()`: alone, short, inside a sentence, in the accusative and in the genitive.
WEEKDAYS = (
    pgettext_lazy("weekday", "Monday"),
    pgettext_lazy("weekday", "Tuesday"),
    pgettext_lazy("weekday", "Wednesday"),
    pgettext_lazy("weekday", "Thursday"),
    pgettext_lazy("weekday", "Friday"),
    pgettext_lazy("weekday", "Saturday"),
    pgettext_lazy("weekday", "Sunday"),
)
SHORT_WEEKDAYS = (
    pgettext_lazy("short weekday", "Mon"),
    pgettext_lazy("short weekday", "Tue"),
    pgettext_lazy("short weekday", "Wed"),
    pgettext_lazy("short weekday", "Thu"),
    pgettext_lazy("short weekday", "Fri"),
    pgettext_lazy("short weekday", "Sat"),
    pgettext_lazy("short weekday", "Sun"),
)
ON_WEEKDAYS = (
    pgettext_lazy("when", "on Monday"),
    pgettext_lazy("when", "on Tuesday"),
    pgettext_lazy("when", "on Wednesday"),
    pgettext_lazy("when", "on Thursday"),
    pgettext_lazy("when", "on Friday"),
    pgettext_lazy("when", "on Saturday"),
    pgettext_lazy("when", "on Sunday"),
)
FOR_WEEKDAYS = (
    pgettext_lazy("book for", "Monday"),
    pgettext_lazy("book for", "Tuesday"),
    pgettext_lazy("book for", "Wednesday"),
    pgettext_lazy("book for", "Thursday"),
    pgettext_lazy("book for", "Friday"),
    pgettext_lazy("book for", "Saturday"),
    pgettext_lazy("book for", "Sunday"),
)
FROM_WEEKDAYS = (
    pgettext_lazy("moved from", "Monday"),
    pgettext_lazy("moved from", "Tuesday"),
    pgettext_lazy("moved from", "Wednesday"),
    pgettext_lazy("moved from", "Thursday"),
    pgettext_lazy("moved from", "Friday"),
    pgettext_lazy("moved from", "Saturday"),
    pgettext_lazy("moved from", "Sunday"),
)

ZONES = {
    "Europe/Kaliningrad": pgettext_lazy("zone", "Kaliningrad time"),
    "Europe/Moscow": pgettext_lazy("zone", "Moscow time"),
    "Europe/Simferopol": pgettext_lazy("zone", "Simferopol time"),
    "Europe/Kirov": pgettext_lazy("zone", "Kirov time"),
    "Europe/Samara": pgettext_lazy("zone", "Samara time"),
    "Europe/Ulyanovsk": pgettext_lazy("zone", "Ulyanovsk time"),
    "Europe/Saratov": pgettext_lazy("zone", "Saratov time"),
    "Europe/Volgograd": pgettext_lazy("zone", "Volgograd time"),
    "Europe/Astrakhan": pgettext_lazy("zone", "Astrakhan time"),
    "Asia/Yekaterinburg": pgettext_lazy("zone", "Yekaterinburg time"),
    "Asia/Omsk": pgettext_lazy("zone", "Omsk time"),
    "Asia/Novosibirsk": pgettext_lazy("zone", "Novosibirsk time"),
    "Asia/Barnaul": pgettext_lazy("zone", "Barnaul time"),
    "Asia/Tomsk": pgettext_lazy("zone", "Tomsk time"),
    "Asia/Novokuznetsk": pgettext_lazy("zone", "Novokuznetsk time"),
    "Asia/Krasnoyarsk": pgettext_lazy("zone", "Krasnoyarsk time"),
    "Asia/Irkutsk": pgettext_lazy("zone", "Irkutsk time"),
    "Asia/Yakutsk": pgettext_lazy("zone", "Yakutsk time"),
    "Asia/Chita": pgettext_lazy("zone", "Chita time"),
    "Asia/Vladivostok": pgettext_lazy("zone", "Vladivostok time"),
    "Asia/Magadan": pgettext_lazy("zone", "Magadan time"),
    "Asia/Sakhalin": pgettext_lazy("zone", "Sakhalin time"),
    "Asia/Srednekolymsk": pgettext_lazy("zone", "Srednekolymsk time"),
    "Asia/Kamchatka": pgettext_lazy("zone", "Kamchatka time"),
    "Asia/Anadyr": pgettext_lazy("zone", "Anadyr time"),
    "Asia/Almaty": pgettext_lazy("zone", "Almaty time"),
    "Asia/Tashkent": pgettext_lazy("zone", "Tashkent time"),
}


# The row of a visit, and the row of the time to which it may have moved.
Move = tuple[Booking, Booking]


def title(booking: Booking, move: Move | None = None) -> str:
    """The heading of a booking's page; `move` is one whose reply has not come."""
    if move:
        return _("We are checking whether the visit is moved")
    if booking.is_failed_move:
        return _("The visit is not moved")
    if booking.state is VisitState.MOVED:
        now = booking.latest().starts_at_local
        return _("The visit is moved to {when}").format(when=for_day_at(now))
    return str(TITLES[booking.state])


def title_with_time(booking: Booking, move: Move | None = None) -> str:
    """The title of a page that tells of a visit: found again among many by its day."""
    if move or not booking.is_to_come:
        return title(booking, move)
    when = booking.starts_at_local
    return _("{title}: {day}, {time}").format(
        title=title(booking), day=day_of_month(when.date()), time=clock(when)
    )


def lead(booking: Booking, move: Move | None = None) -> str:
    """The sentence under the title of a booking's page: only what is known."""
    if move:
        visit, after = move
        return _(
            "You are moving the visit from {before} to {after}. There is no answer yet: one of the"
            " two times is yours."
        ).format(before=from_day_at(visit.starts_at_local), after=for_day_at(after.starts_at_local))
    if booking.is_failed_move and booking.follows:
        return _why_not_moved(booking, booking.follows.latest())
    if booking.state is VisitState.REFUSED:
        return refusal(booking.reason, booking.category)
    return str(LEADS[booking.state]).format(when=on_day_at(booking.starts_at_local))


def _why_not_moved(booking: Booking, visit: Booking) -> str:
    is_sent = booking.outcome != "not_sent"
    cause = _("Our booking system did not take the new time.")
    why = cause if is_sent else _("Our booking system does not answer.")
    if not visit.is_to_come:
        return why
    stands = _("The visit stands as it was: we expect you {when}.")
    return f"{why} {stands}".format(when=on_day_at(visit.starts_at_local))


def moved_from(before: Booking) -> str:
    """The former time of a moved visit."""
    return _("Moved from {when}").format(when=from_day_at(before.starts_at_local))


def not_booked_too(booking: Booking, wanted: datetime) -> str:
    """Tell that a booking stands and that the other requested time is not booked."""
    booked = booking.starts_at_local
    is_same_day = wanted.date() == booked.date()
    known = (
        _("You are booked for {booked} already.")
        if booking.is_booked
        else _("We are still finding out about your booking for {booked}.")
    )
    unbooked = _("We have not booked you for {wanted}.")
    return f"{known} {unbooked}".format(
        booked=for_day_at(booked), wanted=clock(wanted) if is_same_day else for_day_at(wanted)
    )


def next_steps(booking: Booking, move: Move | None, *, can_call: bool) -> list[str]:
    """What to do, or not to do, while an outcome is open or a calendar entry is outdated."""
    if note := CALENDAR_NOTES.get(booking.state):
        return [str(note)]
    if not move and booking.state not in {VisitState.SENDING, VisitState.IN_DOUBT}:
        return []
    wait = _("Please do not book again: we will find out and show the answer on this page.")
    return [wait, _("If the visit is less than a day away, call us.")] if can_call else [wait]


def what_to_bring(of_house: str) -> list[str]:
    """What to bring: the house's list, one thing per line, or the default."""
    lines = [line.strip() for line in of_house.splitlines() if line.strip()]
    return lines or [
        _("passport"),
        _("contract"),
        _("notarised power of attorney, if another person comes in your place"),
    ]


def enumerated(things: Sequence[str]) -> str:
    """Things of a list as one sentence: "Passport, contract"."""
    text = ", ".join(things)
    return text[:1].upper() + text[1:]


def how_long(lasts: timedelta | None) -> str:
    """The length of a visit; "" if unknown."""
    if not lasts:
        return ""
    count = int(lasts.total_seconds() // 60)
    if count in HALF_HOURS:
        return str(HALF_HOURS[count])
    return ngettext("about {count} minute", "about {count} minutes", count).format(count=count)


def change_asked(kind: str, at: datetime, wanted_at: datetime | None) -> str:
    when = on_moment(at)
    if wanted_at:
        asked = _("You asked on {when} to move the visit to {wanted}")
        return asked.format(when=when, wanted=for_day_at(wanted_at))
    if kind == "move":
        return _("You asked to move the visit on {when}").format(when=when)
    return _("You asked to cancel the visit on {when}").format(when=when)


def refusal(reason: str, category: str) -> str:
    """Why a booking was refused. "No such flat" and "not your phone" share a text, on purpose."""
    text = str(REFUSALS.get(reason, REFUSED_OTHERWISE))
    return text.format(what=BOOKED_FOR.get(category, category))


def too_many_tries(limit: str, until: datetime, seconds: int) -> str:
    """Why a press was refused, and when to press again."""
    if limit in TOO_MANY:
        # Rounded up to the minute that the text shows, so that the next press is not too early.
        minute = f"{clock(until + timedelta(minutes=1))}{NBSP}{_zone(until)}"
        return str(TOO_MANY[limit]).format(until=minute)
    wait = ngettext(
        "There are too many tries just now. Nothing was sent. Press the button again in"
        " {seconds} second.",
        "There are too many tries just now. Nothing was sent. Press the button again in"
        " {seconds} seconds.",
        seconds,
    )
    return wait.format(seconds=seconds)


def time_taken(start: datetime) -> str:
    return _("Another buyer has booked {when} already.").format(when=for_day_at(start))


def time_not_bookable(start: datetime) -> str:
    """Past, too soon or too far ahead."""
    return _("{time} {on_day} can't be booked. Please choose another time.").format(
        time=clock(start), on_day=on_day(start.date())
    )


def flat_not_listed(category: str, number: str) -> str:
    return _(
        "{kind} {number} is not among the ready ones in this house. Check the number, or choose it"
        " from the list."
    ).format(kind=OF_KIND[category], number=number)


def object_name(category: str, number: str) -> str:
    """An object with its kind: "flat 12"."""
    return f"{KINDS.get(category, '')}{NBSP}{number}".strip()


def visit_in_a_line(booking: Booking) -> str:
    """What, when, and what became of it: "квартира 12, вторник, 2 декабря, 11:00: ожидается"."""
    what = object_name(booking.category, booking.flat)
    when = day_and_time(booking.starts_at_local)
    state = VisitState.IN_DOUBT if booking.move_in_question() else booking.state
    return f"{what}, {when}: {state.label}"


def short_name(category: str, number: str) -> str:
    """As `object_name`, in fewer letters: "кв. 12"."""
    if category != "flat":
        return object_name(category, number)
    return f"{SHORT_FLAT}{NBSP}{number}"


def without_brackets(title: str) -> str:
    """A house's title without what stands in brackets after it, which is its address."""
    return title.partition(" (")[0]


def names(title: str, address: str) -> bool:
    """Whether a house's title names its address, at least from the street on, however spaced."""
    parts = _bare(address).split(",")
    # A street and a number: many streets have a house 5, and many houses an entrance.
    from_streets = (
        ",".join(parts[place:])
        for place, part in enumerate(parts)
        if not DIGIT.search(part) and DIGIT.search(",".join(parts[place:]))
    )
    return any(named in _bare(title) for named in (_bare(address), *from_streets))


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()


def unbroken(place: str) -> str:
    """Keep «дом 1» and «ул. Мира» on one line. For display only."""
    return SHORT_WORD.sub(rf"\1{NBSP}", place)


def alphabet(number: str) -> str:
    """The alphabet of a number's letters, to tell look-alikes apart; "" without letters."""
    letters = [unicodedata.name(c, "") for c in number if c.isalpha()]
    if not letters:
        return ""
    if all(name.startswith("CYRILLIC") for name in letters):
        return _("in Russian letters")
    if all(name.startswith("LATIN") for name in letters):
        return _("in Latin letters")
    return _("in letters of two alphabets")


def day_in_words(day: date) -> str:
    """Weekday and day, "вторник, 2 декабря", with the year if it is another."""
    return f"{weekday(day)}, {day_of_month(day)}"


def weekday(day: date) -> str:
    return str(WEEKDAYS[day.weekday()])


def short_weekday(day: date) -> str:
    return str(SHORT_WEEKDAYS[day.weekday()])


def day_and_month(day: date) -> str:
    # Short, because a row shows seven: "25 Nov", but "25 ноября".
    form = pgettext("day and month of a calendar, in Django's date format", "j M")
    return _formatted(day, form, get_language())


def day_of_month(day: date) -> str:
    """Day and month, with the year if it is another."""
    this_year = day.year == timezone.localdate().year
    return _formatted(day, "j E" if this_year else "j E Y", get_language())


# Without the cache, formatting days takes a tenth of the time of step 3.
@lru_cache(maxsize=1024)
def _formatted(day: date, form: str, _language: str | None) -> str:
    return formats.date_format(day, form).replace(" ", NBSP)


def on_day(day: date) -> str:
    """A day inside a sentence about when: "во вторник, 2 декабря"."""
    on_weekday = str(ON_WEEKDAYS[day.weekday()])
    return f"{on_weekday}, {day_of_month(day)}"


def on_day_at(moment: datetime) -> str:
    """When to come, inside a sentence: "во вторник, 2 декабря, в 11:00"."""
    return f"{on_day(moment.date())}, {at_time(moment)}"


def on_moment(moment: datetime) -> str:
    """When something happened: "26 ноября в 15:04"."""
    return f"{day_of_month(moment.date())} {at_time(moment)}"


def at_time(moment: datetime) -> str:
    return pgettext("time of day", "at {time}").format(time=clock(moment)).replace(" ", NBSP)


def for_day_at(moment: datetime) -> str:
    """In the accusative: "среду, 2 декабря, 11:00" after «Записаться на»."""
    for_weekday = str(FOR_WEEKDAYS[moment.weekday()])
    return f"{for_weekday}, {day_of_month(moment.date())}, {clock(moment)}"


def from_day_at(moment: datetime) -> str:
    """In the genitive: "среды, 2 декабря, 11:00" after «Перенесён с»."""
    from_weekday = str(FROM_WEEKDAYS[moment.weekday()])
    return f"{from_weekday}, {day_of_month(moment.date())}, {clock(moment)}"


def clock(moment: datetime) -> str:
    return f"{moment:%H:%M}"


def day_and_time(moment: datetime) -> str:
    return f"{day_in_words(moment.date())}, {clock(moment)}"


def day_and_times(start: datetime, lasts: timedelta | None) -> str:
    """Day and times: "вторник, 2 декабря, с 11:00 до 12:30"; the end only if it is known."""
    if not lasts:
        return day_and_time(start)
    times = pgettext("times of day", "from {start} to {end}").format(
        start=clock(start), end=clock(start + lasts)
    )
    return f"{day_in_words(start.date())}, {times.replace(' ', NBSP)}"


def part_of_day(moment: datetime) -> str:
    if moment.hour < 12:
        return _("Morning")
    return _("Afternoon") if moment.hour < 17 else _("Evening")


def day_note(day: Day) -> str:
    """The state of a day, in a word or two."""
    if day.state is DayState.FREE:
        count = len(day.starts)
        return ngettext("{count} free", "{count} free", count).format(count=count)
    return _("fully booked") if day.state is DayState.FULL else _("show")


def short_day_note(day: Day) -> str:
    """The state of a day in the narrowest column; `day_note` says it in words."""
    if day.state is DayState.FREE:
        return str(len(day.starts))
    return "–" if day.state is DayState.FULL else "?"


def ready_count(category: str, count: int) -> str:
    """The number of ready objects of a house."""
    forms = {
        "flat": ngettext("{count} flat ready", "{count} flats ready", count),
        "garage": ngettext("{count} parking space ready", "{count} parking spaces ready", count),
        "storageroom": ngettext("{count} storage room ready", "{count} storage rooms ready", count),
    }
    otherwise = ngettext("{count} ready", "{count} ready", count)
    return forms.get(category, otherwise).format(count=count)


def masked_phone(phone: PhoneNumber | None) -> str:
    """A phone that its owner can recognise: "+7 ··· ···-45-67"; "" if anonymised."""
    if not phone:
        return ""
    digits = phone.as_e164
    return f"+{phone.country_code}{NBSP}···{NBSP}···-{digits[-4:-2]}-{digits[-2:]}"


def phone_mistake(error: PhoneError) -> str:
    """What is wrong with a typed phone."""
    missing = ngettext(
        "One digit is missing: check the number",
        "{digits} digits are missing: check the number",
        error.digits,
    )
    surplus = ngettext(
        "There is one digit too many: check the number",
        "There are {digits} digits too many: check the number",
        error.digits,
    )
    sentences = {
        Mistake.NO_NUMBER: _("Enter a phone number, for example 8 900 123-45-67"),
        Mistake.TOO_SHORT: missing.format(digits=error.digits),
        Mistake.TOO_LONG: surplus.format(digits=error.digits),
        Mistake.TWO_NUMBERS: _("These are two numbers: leave one of them"),
        Mistake.NO_COUNTRY: _("Too many digits. Begin a number of another country with +"),
        Mistake.UNKNOWN_COUNTRY: _("No country has this code: check the digits after the +"),
        Mistake.UNKNOWN_NUMBER: _("There is no such number: check its digits"),
    }
    return sentences[error.mistake]


def tel(phone: str) -> str:
    """A tel: URL; "" without a phone."""
    return "tel:" + "".join(c for c in phone if c.isdigit() or c == "+") if phone else ""


def zone_note(moment: datetime) -> str:
    """A sentence on the zone of a page's times."""
    return _("Times are {zone}").format(zone=_zone(moment))


def in_zone(moment: datetime) -> str:
    """The zone of a time, to stand behind it."""
    return f"({_zone(moment)})".replace(" ", NBSP)


def _zone(moment: datetime) -> str:
    """A zone by its city or, failing that, by its offset: "по Москве"."""
    offset = moment.strftime("%z")
    if named := ZONES.get(str(moment.tzinfo)):
        return str(named)
    return _("in the zone UTC{offset}").format(offset=f"{offset[:3]}:{offset[3:]}")
