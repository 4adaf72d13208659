"""How often one may try, counted from the journal: across restarts and workers.

The phone is the only thing that proves a right to book. So what is counted is guesses, that is
distinct wrong phones and flats, not presses; and what is limited is the guesser, not the flat or
its owner. docs/decisions/0011-limits-punish-the-guesser.md has the table, and what is left to each
attacker.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple, NoReturn
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import CharField, Max, Q
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.crypto import salted_hmac

from booking.client_address import address_hash
from booking.models import HAS_VISIT, Booking, LimitLift, Outcome
from booking.observability import metrics

logger = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
# When to press again while the CRM has as many bookings in hand as it bears.
A_MOMENT = timedelta(seconds=5)
# Refusals after a wrong phone. It may also have led to a doubt, or still lead to a refusal.
WRONG_PHONE = {"no_match", "declined", "resolved", HAS_VISIT}
MAYBE_WRONG = {Outcome.SENDING, Outcome.IN_DOUBT}
# Newest first, so what is left out of a flood is what ends first. Read in some 20 ms.
MOST_ROWS = 5000
COUNTED = (
    "created_at",
    "category",
    "house_id",
    "flat",
    # As text: to parse a phone takes longer than all else of a press.
    Cast("phone", CharField()),
    "client_address",
    "outcome",
    "reason",
    "deadline_at",
    "crm_seconds",
    "pk",
)


class Limit(StrEnum):
    """The first two are hard: the client waits until its guesses are forgotten.

    The next five are soft: one try a minute, and no limit to a browser that has booked the flat.
    Four say to press again in seconds: another press of the flat is under way, its day is being
    read, or the CRM bears no more. The last two are of the search (`booking.finding`).
    """

    PHONES_OF_CLIENT = "phones_of_client"
    FLATS_OF_CLIENT = "flats_of_client"
    PAIRS_OF_CLIENT = "pairs_of_client"
    PHONES_OF_FLAT = "phones_of_flat"
    FLATS_OF_PHONE = "flats_of_phone"
    SAME_PAIR = "same_pair"
    PRESSES_OF_CLIENT = "presses_of_client"
    FLAT_IS_BEING_BOOKED = "flat_is_being_booked"
    DAY_IS_BEING_READ = "day_is_being_read"
    ADDS_AT_ONCE = "adds_at_once"
    ADDS_PER_MINUTE = "adds_per_minute"
    FIND_CLIENT = "find_client"
    FIND_PHONE = "find_phone"


# From 0, as in `booking.observability.metrics`.
for _limit in Limit:
    metrics.LIMITS.labels(_limit.value)


class TooManyTries(Exception):
    """A limit holds until `until` (aware, in wall time of the house)."""

    def __init__(self, limit: str, until: datetime) -> None:
        super().__init__(f"{limit}: no more tries before {until:%H:%M:%S}")
        self.limit = limit
        self.until = until

    @property
    def seconds(self) -> int:
        """How long to wait, one second at least."""
        return max(1, math.ceil((self.until - timezone.now()).total_seconds()))


# Some thousands may be made for one press, in a third of a dataclass's time.
class Try(NamedTuple):
    """A press of the button, as far as limits count it."""

    at: datetime
    flat: tuple[str, str, str]
    phone: str
    client: str | None
    is_guess: bool
    pk: int = 0
    is_under_way: bool = False
    # To the CRM; of a press that was refused for a visit it is told so, or the budget would tell.
    was_sent: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """No more than `setting` different things `counted` in the guesses of one `group`.

    A soft limit is `paced_by` whose last press is a minute ago; a hard one by nothing. A group of
    an unknown client is None and not limited.
    """

    limit: Limit
    setting: str
    group: Callable[[Try], Hashable]
    counted: Callable[[Try], Hashable]
    paced_by: Callable[[Try], Hashable] | None = None


RULES = (
    Rule(
        Limit.PHONES_OF_CLIENT,
        "LIMIT_PHONES_OF_CLIENT",
        group=lambda each: each.client and (each.client, each.flat),
        counted=attrgetter("phone"),
    ),
    Rule(
        Limit.FLATS_OF_CLIENT,
        "LIMIT_FLATS_OF_PHONE",
        group=lambda each: each.client and (each.client, each.phone),
        counted=attrgetter("flat"),
    ),
    Rule(
        Limit.PAIRS_OF_CLIENT,
        "LIMIT_PAIRS_OF_CLIENT",
        group=attrgetter("client"),
        counted=attrgetter("flat", "phone"),
        paced_by=attrgetter("client"),
    ),
    Rule(
        Limit.PHONES_OF_FLAT,
        "LIMIT_PHONES_OF_FLAT",
        group=attrgetter("flat"),
        counted=attrgetter("phone"),
        paced_by=attrgetter("client"),
    ),
    # By the phone, not by the client: else many addresses would find its flat in a minute.
    Rule(
        Limit.FLATS_OF_PHONE,
        "LIMIT_FLATS_OF_PHONE",
        group=attrgetter("phone"),
        counted=attrgetter("flat"),
        paced_by=attrgetter("phone"),
    ),
)


@dataclass(frozen=True, slots=True)
class Holding:
    """A limit on guesses that is reached, for staff: its newest guess, and how to lift it."""

    limit: Limit
    newest: Try
    until: datetime
    subject: str


def check(tried: Booking, *, is_proven: bool, seen: Sequence[Try] = ()) -> list[Try]:
    """Raises TooManyTries when this press would be one too many, else returns the tries.

    Called twice: before anything is waited for or written, so that a refused client costs a read or
    two; and again where presses are written one after another, so that of guesses at once each
    counts those before it. What the first call has `seen` is not read again, unless it would end in
    a refusal: since then some may have been answered. `is_proven`: this browser has booked this
    flat before. An earlier success of the phone proves nothing here: a guesser would know a right
    phone by its being let through.
    """
    flat = (tried.category, tried.house_id, tried.flat)
    press = Try(timezone.now(), flat, tried.phone.as_e164, tried.client_address, is_guess=False)
    if seen:
        tries = [*_newer(seen, press), *seen]
        if not _holding(press, tries, is_proven=is_proven):
            return tries
    tries = _tries_that_matter_to(press)
    for limit, until in _holding(press, tries, is_proven=is_proven):
        refuse(tried, limit, until)
    return tries


def refuse(tried: Booking, limit: Limit, until: datetime | None = None) -> NoReturn:
    """Count a press that is not taken, and raise TooManyTries; without `until`, for a moment."""
    until = until or timezone.now() + A_MOMENT
    metrics.LIMITS.labels(limit.value).inc()
    client = address_hash(tried.client_address)
    logger.warning("Limit %s holds: house %s, client %s", limit, tried.house_id, client)
    raise TooManyTries(limit, until.astimezone(ZoneInfo(tried.time_zone)))


def holding() -> list[Holding]:
    """The limits on guesses that are reached now, the newest guess first."""
    guesses = [
        each for each in _tries(Q(created_at__gt=timezone.now() - _window())) if each.is_guess
    ]
    found = []
    for rule in RULES:
        groups: dict[Hashable, list[Try]] = {}
        for each in guesses:
            groups.setdefault(rule.group(each), []).append(each)
        for group, tries in groups.items():
            if group is not None and (until := _until(rule, group, tries)):
                found.append(Holding(rule.limit, tries[0], until, subject(rule.limit, group)))
    return sorted(found, key=lambda each: each.newest.at, reverse=True)


def subject(limit: Limit, group: Hashable) -> str:
    """What a limit is lifted for, without the phone or address in it."""
    return f"{limit} {salted_hmac('booking.limits', repr(group)).hexdigest()[:32]}"


def last_lift(subject: str) -> datetime | None:
    """When a limit was last lifted; what was tried before it does not count."""
    lifted: datetime | None = LimitLift.objects.filter(subject=subject).aggregate(at=Max("at"))[
        "at"
    ]
    return lifted


def lift(holds: Holding, *, by: str) -> None:
    """Have the guesses that made a limit hold forgotten."""
    LimitLift.objects.create(subject=holds.subject, by=by)


def _holding(press: Try, tries: Sequence[Try], *, is_proven: bool) -> list[tuple[Limit, datetime]]:
    reached = _reached(press, tries, is_proven=is_proven)
    return [(limit, until) for limit, until in reached if until > press.at]


def _reached(
    press: Try, tries: Sequence[Try], *, is_proven: bool
) -> Iterator[tuple[Limit, datetime]]:
    """Each limit that this press meets, and until when it holds."""
    for rule in RULES:
        if rule.paced_by and is_proven:
            continue
        until = _until(rule, rule.group(press), _others(rule, press, tries))
        if until:
            yield rule.limit, _paced(rule.paced_by, press, tries) if rule.paced_by else until
    last_minute = [each for each in tries if each.at > press.at - MINUTE]
    mine = [each for each in last_minute if press.client and each.client == press.client]
    if not is_proven:
        pair = (press.flat, press.phone)
        same = [each.at for each in mine if each.is_guess and (each.flat, each.phone) == pair]
        yield from _beyond(Limit.SAME_PAIR, same, 1)
        presses = [each.at for each in mine]
        yield from _beyond(Limit.PRESSES_OF_CLIENT, presses, settings.LIMIT_PRESSES_OF_CLIENT)
    if sum(each.is_under_way for each in tries) >= settings.MACROCRM_ADDS_AT_ONCE:
        yield Limit.ADDS_AT_ONCE, press.at + A_MOMENT
    most = settings.MACROCRM_ADDS_PER_MINUTE
    # Half of a minute's budget is for clients that have not pressed within it: six that went on
    # pressing took all of it, and of twelve other buyers two got through.
    most = max(1, most // 2) if mine else most
    sent = [each.at for each in last_minute if each.was_sent]
    yield from _beyond(Limit.ADDS_PER_MINUTE, sent, most)


def _others(rule: Rule, press: Try, tries: Iterable[Try]) -> list[Try]:
    """The guesses in the press's group that tell something else than this press would."""
    group, own = rule.group(press), rule.counted(press)
    if group is None:
        return []
    alike = (each for each in tries if each.is_guess and rule.group(each) == group)
    return [each for each in alike if rule.counted(each) != own]


def _until(rule: Rule, group: Hashable, guesses: Iterable[Try]) -> datetime | None:
    """When enough guesses of a group are forgotten; None while there are fewer than its limit."""
    newest: dict[Hashable, datetime] = {}
    for each in guesses:
        newest.setdefault(rule.counted(each), each.at)
    most = getattr(settings, rule.setting)
    if len(newest) < most:
        return None
    lifted_at = last_lift(subject(rule.limit, group))
    counted = [at for at in newest.values() if not lifted_at or at > lifted_at]
    return sorted(counted, reverse=True)[most - 1] + _window() if len(counted) >= most else None


def _paced(paced_by: Callable[[Try], Hashable], press: Try, tries: Iterable[Try]) -> datetime:
    """A minute after the last press of the same; now, if there was none."""
    own = paced_by(press)
    last = next((each.at for each in tries if own is not None and paced_by(each) == own), None)
    return last + MINUTE if last else press.at


def _beyond(
    limit: Limit, last_minute: list[datetime], most: int
) -> Iterator[tuple[Limit, datetime]]:
    """A limit of the last minute, its moments the newest first."""
    if len(last_minute) >= most:
        yield limit, last_minute[most - 1] + MINUTE


def _tries_that_matter_to(press: Try) -> list[Try]:
    """Those of its flat, phone or client; and for the CRM's budget all of the last minute."""
    category, house_id, flat = press.flat
    same = Q(category=category, house_id=house_id, flat=flat) | Q(phone=press.phone)
    if press.client:
        same |= Q(client_address=press.client)
    budget = Q(created_at__gt=press.at - MINUTE)
    budget |= Q(outcome=Outcome.SENDING, deadline_at__gt=press.at)
    return _tries(same & Q(created_at__gt=press.at - _window()) | budget)


def _newer(seen: Sequence[Try], press: Try) -> list[Try]:
    """Those written since: of the last minute all had been looked at."""
    last = max(each.pk for each in seen)
    return _tries(Q(pk__gt=last, created_at__gt=press.at - MINUTE))


def _tries(which: Q) -> list[Try]:
    """The newest first."""
    rows = Booking.objects.filter(which).order_by("-created_at")
    now = timezone.now()
    return [
        Try(
            at,
            (category, house_id, flat),
            phone,
            client,
            is_guess=_is_guess(outcome, reason),
            pk=pk,
            is_under_way=outcome == Outcome.SENDING and deadline_at > now,
            was_sent=outcome == Outcome.SENDING or seconds is not None or reason == HAS_VISIT,
        )
        for (
            at,
            category,
            house_id,
            flat,
            phone,
            client,
            outcome,
            reason,
            deadline_at,
            seconds,
            pk,
        ) in rows.values_list(*COUNTED)[:MOST_ROWS]
    ]


def _is_guess(outcome: str, reason: str) -> bool:
    """Whether a try may have been made with a wrong phone; an answer can leave it open."""
    return outcome in MAYBE_WRONG or (outcome == Outcome.REFUSED and reason in WRONG_PHONE)


def _window() -> timedelta:
    return timedelta(minutes=settings.LIMIT_WINDOW_MINUTES)
