"""Rate limits of booking, counted from the journal, so that they hold across restarts and workers.

Only the phone proves a right to book. So the limits count guesses, that is distinct wrong phones
and flats, not presses; and they stop the guesser, not the flat or its owner.
docs/decisions/0011-limits-punish-the-guesser.md has the table, and what each attacker can still do.
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
# Pause before the next press while the CRM has as many bookings under way as it takes.
A_MOMENT = timedelta(seconds=5)
# Refusals that a wrong phone leads to. It may also end in doubt, or still be under way.
WRONG_PHONE = {"no_match", "declined", "resolved", HAS_VISIT}
MAYBE_WRONG = {Outcome.SENDING, Outcome.IN_DOUBT}
# Rows read, newest first: of a flood, the rows that expire first are left out. Takes about 20 ms.
MOST_ROWS = 5000
COUNTED = (
    "created_at",
    "category",
    "house_id",
    "flat",
    # As text: parsing phones takes longer than the rest of a press.
    Cast("phone", CharField()),
    "client_address",
    "outcome",
    "reason",
    "deadline_at",
    "crm_seconds",
    "pk",
)


class Limit(StrEnum):
    """The first two are hard: the client waits until its guesses expire.

    The next five are soft: one try a minute, and none for a browser that has booked the flat. Four
    ask to press again in seconds: another press of the flat is under way, its day is being read, or
    the CRM takes no more. Two belong to the search (`booking.finding`), the last to requests for a
    visit (`services.visit_requests`).
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
    REQUESTS_OF_CLIENT = "requests_of_client"


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
        """Seconds to wait, at least one."""
        return max(1, math.ceil((self.until - timezone.now()).total_seconds()))


# One press may make thousands, in a third of a dataclass's time.
class Try(NamedTuple):
    """The facts of a press that limits count."""

    at: datetime
    flat: tuple[str, str, str]
    phone: str
    client: str | None
    is_guess: bool
    pk: int = 0
    is_under_way: bool = False
    # Sent to the CRM. Also set for a press refused for a visit, or the budget would give it away.
    was_sent: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `setting` different values of `counted` in the guesses of one `group`.

    A soft limit allows one press a minute for each value of `paced_by`; a hard limit has none. The
    group None, of an unknown client, is not limited.
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
    # Paced by the phone, not by the client, or many addresses would find its flat in a minute.
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
    """A reached limit on guesses, as staff see it: its newest guess, and the subject to lift."""

    limit: Limit
    newest: Try
    until: datetime
    subject: str


def check(tried: Booking, *, is_proven: bool, seen: Sequence[Try] = ()) -> list[Try]:
    """Return the tries that matter to this press, or raise TooManyTries if it is one too many.

    Called twice: before anything else, so that a refused client costs a read or two; and again
    where presses are serialised, so that each of several guesses at once counts those before it.
    The second call gets the tries that the first has `seen`, and reads them again only before a
    refusal, because some may have been answered since. `is_proven`: this browser has booked this
    flat before. An earlier success of the phone proves nothing: a guesser would recognise a right
    phone by it.
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
    """Count a refused press and raise TooManyTries; without `until`, for A_MOMENT."""
    until = until or timezone.now() + A_MOMENT
    metrics.LIMITS.labels(limit.value).inc()
    client = address_hash(tried.client_address)
    logger.warning("Limit %s holds: house %s, client %s", limit, tried.house_id, client)
    raise TooManyTries(limit, until.astimezone(ZoneInfo(tried.time_zone)))


def holding() -> list[Holding]:
    """List the limits on guesses that are reached now, newest guess first."""
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
    """Name a limit and its group as a keyed hash, without phone or address."""
    return f"{limit} {salted_hmac('booking.limits', repr(group)).hexdigest()[:32]}"


def last_lift(subject: str) -> datetime | None:
    """When a limit was last lifted. Earlier tries do not count."""
    lifted: datetime | None = LimitLift.objects.filter(subject=subject).aggregate(at=Max("at"))[
        "at"
    ]
    return lifted


def lift(holds: Holding, *, by: str) -> None:
    """Stop counting the guesses that made a limit hold."""
    LimitLift.objects.create(subject=holds.subject, by=by)


def _holding(press: Try, tries: Sequence[Try], *, is_proven: bool) -> list[tuple[Limit, datetime]]:
    reached = _reached(press, tries, is_proven=is_proven)
    return [(limit, until) for limit, until in reached if until > press.at]


def _reached(
    press: Try, tries: Sequence[Try], *, is_proven: bool
) -> Iterator[tuple[Limit, datetime]]:
    """Yield each limit that this press reaches, and until when it holds."""
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
    # Half of a minute's budget is kept for clients that have not pressed in it. Without that, six
    # clients that kept pressing took all of it, and two of twelve other buyers got through.
    most = max(1, most // 2) if mine else most
    sent = [each.at for each in last_minute if each.was_sent]
    yield from _beyond(Limit.ADDS_PER_MINUTE, sent, most)


def _others(rule: Rule, press: Try, tries: Iterable[Try]) -> list[Try]:
    """The guesses in the press's group with another counted value than the press."""
    group, own = rule.group(press), rule.counted(press)
    if group is None:
        return []
    alike = (each for each in tries if each.is_guess and rule.group(each) == group)
    return [each for each in alike if rule.counted(each) != own]


def _until(rule: Rule, group: Hashable, guesses: Iterable[Try]) -> datetime | None:
    """When enough guesses of a group expire; None below the limit."""
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
    """A minute after the last press with the same value; now, if there was none."""
    own = paced_by(press)
    last = next((each.at for each in tries if own is not None and paced_by(each) == own), None)
    return last + MINUTE if last else press.at


def _beyond(
    limit: Limit, last_minute: list[datetime], most: int
) -> Iterator[tuple[Limit, datetime]]:
    """Yield a limit on the last minute, whose moments come newest first."""
    if len(last_minute) >= most:
        yield limit, last_minute[most - 1] + MINUTE


def _tries_that_matter_to(press: Try) -> list[Try]:
    """Tries of its flat, phone or client; for the CRM's budget, all of the last minute."""
    category, house_id, flat = press.flat
    same = Q(category=category, house_id=house_id, flat=flat) | Q(phone=press.phone)
    if press.client:
        same |= Q(client_address=press.client)
    budget = Q(created_at__gt=press.at - MINUTE)
    budget |= Q(outcome=Outcome.SENDING, deadline_at__gt=press.at)
    return _tries(same & Q(created_at__gt=press.at - _window()) | budget)


def _newer(seen: Sequence[Try], press: Try) -> list[Try]:
    """Tries written since the first look, which covered the whole last minute."""
    last = max(each.pk for each in seen)
    return _tries(Q(pk__gt=last, created_at__gt=press.at - MINUTE))


def _tries(which: Q) -> list[Try]:
    """Read tries from the journal, newest first."""
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
    """Whether the phone of a try may have been wrong. A reply can leave that open."""
    return outcome in MAYBE_WRONG or (outcome == Outcome.REFUSED and reason in WRONG_PHONE)


def _window() -> timedelta:
    return timedelta(minutes=settings.LIMIT_WINDOW_MINUTES)
