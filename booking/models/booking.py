"""The journal of bookings.

Rows know nothing of the CRM: who calls it writes down here what was sent and what came of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField
from phonenumber_field.phonenumber import PhoneNumber

from booking import references, turns
from booking.flat_numbers import folded
from booking.models.booking_event import BookingEvent
from booking.models.notice import Notice
from booking.models.outcome import Outcome
from booking.models.visit_state import VisitState, in_state, state_of


class Category(models.TextChoices):
    FLAT = "flat", _("flat")
    GARAGE = "garage", _("parking space")
    STORAGEROOM = "storageroom", _("storage room")
    COMM = "comm", _("commercial premises")


# A booking that holds a visit, or may hold one: it stands in the way of the same one again.
HOLDING = (Outcome.SENDING, Outcome.CONFIRMED, Outcome.IN_DOUBT)
# A booking whose outcome an answer of the CRM may still decide.
OPEN = (Outcome.SENDING, Outcome.IN_DOUBT)
# Why a press was refused without a call: its flat has a visit ahead. The buyer reads the same as
# after a phone that does not match.
HAS_VISIT = "has_visit"
LIVE = ~Q(reason=HAS_VISIT) & Q(
    outcome__in=HOLDING, called_off_at=None, moved_at=None, anonymised_at=None
)
# How long a doubt keeps other phones from booking the flat.
DOUBT_KEEPS_OUT = timedelta(minutes=30)


class BookingManager(models.Manager["Booking"]):
    def open(
        self, new: Booking, *, check: Callable[[Booking], None], knows: Callable[[Booking], bool]
    ) -> tuple[Booking, bool]:
        """Commit a new booking in `sending`, or return the one that its browser knows and False.

        It holds its flat, unless a visit ahead stands in the way: then its reason says so from the
        start, and nothing may be sent. A constraint decides between two presses at once, for every
        worker. Whatever `check` raises leaves nothing behind.
        """
        for _attempt in range(3):
            try:
                with transaction.atomic(durable=True):
                    turns.take("press")
                    standing = self.in_the_way_of(new)
                    if standing is not None and knows(standing):
                        return standing, False
                    check(new)
                    if standing is None:
                        self._take_flat(new)
                    else:
                        new.reason = HAS_VISIT
                        new.save(force_insert=True)
            except IntegrityError:
                # A press at the same moment was first: the next look finds it.
                new.pk, new.reason = None, ""
            else:
                return new, True
        raise IntegrityError("a booking that can neither be opened nor found")

    def refuse(self, new: Booking, reason: str, check: Callable[[Booking], None]) -> Booking:
        """Write down a press that is refused without a call; sent twice, it is one row."""
        new.outcome, new.reason, new.settled_at = Outcome.REFUSED, reason, timezone.now()
        try:
            with transaction.atomic():
                turns.take("press")
                check(new)
                new.save(force_insert=True)
                new.note(BookingEvent.Kind.REFUSED, {"reason": reason})
        except IntegrityError:
            return self.get(key=new.key)
        return new

    def _take_flat(self, new: Booking) -> None:
        # From visits that are over, and doubts that have let go of the flat.
        self.of_flat(new).filter(holds_flat=True).update(holds_flat=False)
        new.holds_flat = True
        new.save(force_insert=True)
        new.events.create(kind=BookingEvent.Kind.SENDING)

    def in_the_way_of(self, new: Booking) -> Booking | None:
        """The booking of the same key or from another tab, or what keeps the flat from a phone."""
        of_flat = Q(outcome__in=HOLDING, starts_at__gt=timezone.now(), **new.same_flat)
        found = list(self.filter(Q(key=new.key) | of_flat).order_by("-pk"))
        same = (each for each in found if each.key == new.key or each.is_press_of(new))
        ahead = (each for each in found if each.is_live and each.keeps_out(new.phone))
        return next(same, None) or next(ahead, None)

    def beside(self, doubt: Booking) -> models.QuerySet[Booking]:
        """What else of the same flat is booked, or may be, while a booking is in doubt."""
        return self.of_flat(doubt).filter(LIVE, starts_at__gt=timezone.now()).exclude(pk=doubt.pk)

    def of_flat(self, booking: Booking) -> models.QuerySet[Booking]:
        return self.filter(**booking.same_flat)

    def unused_reference(self) -> str:
        """At 100,000 bookings one number in 170 is taken."""
        while self.filter(reference=(number := references.make())).exists():
            pass
        return number

    def numbered(self, reference: str, phone: PhoneNumber) -> Booking | None:
        """The booking that has this number, if it was made with this phone."""
        return self.filter(reference=reference, phone=phone, anonymised_at=None).first()

    def in_doubt(self) -> models.QuerySet[Booking]:
        """Those that can be resolved."""
        in_doubt = in_state(VisitState.IN_DOUBT, now=timezone.now())
        return self.filter(in_doubt, anonymised_at=None)


class Booking(models.Model):
    """One press of the button, or a visit that staff wrote down. Never deleted.

    A flat has one visit ahead (`keeps_out`): the CRM has one planned date for each handover.

    A visit that is moved is told by two rows: the old one keeps its time and says when it was
    moved, the new one `follows` it.
    """

    ANSWERS = ("category", "house_id", "flat", "phone", "starts_at")

    key = models.UUIDField(_("key"), unique=True, editable=False)
    # What the buyer quotes on the phone (`booking.references`). Null only in a row that a worker of
    # the version before wrote after `migrate`.
    reference: models.CharField[str | None, str] = models.CharField(  # type: ignore[misc]  # noqa: DJ001
        _("booking number"), max_length=7, unique=True, null=True, editable=False
    )
    outcome = models.CharField(
        _("outcome"), max_length=16, choices=Outcome.choices, default=Outcome.SENDING
    )
    reason = models.CharField(_("reason"), max_length=32, blank=True)
    category = models.CharField(_("category"), max_length=16, choices=Category.choices)
    house_id = models.CharField(_("house id"), max_length=64)
    house_title = models.CharField(_("house"), max_length=300, blank=True)
    flat = models.CharField(_("flat"), max_length=64)
    # The number as people search for it; kept by `save`.
    flat_folded = models.CharField(max_length=64, editable=False, default="")
    starts_at = models.DateTimeField(_("visit"))
    time_zone = models.CharField(_("time zone"), max_length=64)
    phone = PhoneNumberField(_("phone"))
    follows = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="followed_by",
        verbose_name=_("moved from"),
    )
    # The account of staff that wrote the row down, without a call of the CRM; "" where a buyer
    # pressed. The database has the default for workers of the version before.
    written_by = models.CharField(_("written down by"), max_length=150, blank=True, db_default="")
    consent = models.CharField(_("version of the consent"), max_length=32, blank=True)
    source = models.JSONField(_("source"), default=dict, blank=True)
    # The campaign or else the link that a buyer came by, to filter by; kept by `save`. The database
    # has the default, so that workers of the version before can go on booking after `migrate`.
    mark = models.CharField(max_length=200, blank=True, editable=False, db_default="")
    client_address = models.GenericIPAddressField(_("client address"), null=True, blank=True)
    stand_in = models.BooleanField(_("demonstration"), default=False)
    # The booking that took its flat last. Of two presses at once, the constraint lets one through.
    holds_flat = models.BooleanField(default=False, db_default=False, editable=False)
    created_at = models.DateTimeField(_("made at"), default=timezone.now, editable=False)
    deadline_at = models.DateTimeField(_("answer expected by"), editable=False)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    # Set when staff tell that a booked visit will not take place, or takes place at another time.
    called_off_at = models.DateTimeField(_("called off at"), null=True, blank=True)
    moved_at = models.DateTimeField(_("moved at"), null=True, blank=True)
    crm_seconds = models.FloatField(_("the CRM took, in seconds"), null=True, blank=True)
    # What is left of the phone and the address when the booking is old: equal ones stay equal.
    phone_hash = models.CharField(max_length=64, blank=True, editable=False)
    client_address_hash = models.CharField(max_length=64, blank=True, editable=False)
    anonymised_at = models.DateTimeField(_("anonymised at"), null=True, blank=True, editable=False)

    objects = BookingManager()

    class Meta:
        verbose_name = _("booking")
        verbose_name_plural = _("bookings")
        ordering = ("-created_at", "-pk")
        permissions = [
            ("view_whole_phone", _("Can see whole phone numbers")),
            ("resolve_booking", _("Can resolve bookings in doubt")),
            ("export_booking", _("Can export bookings")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=("category", "house_id", "flat"),
                condition=Q(holds_flat=True),
                name="one_booking_holds_a_flat",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values), name="booking_outcome_known"
            ),
        ]
        indexes = [
            models.Index(fields=("-created_at", "-id"), name="booking_newest_first"),
            models.Index(fields=("outcome", "deadline_at"), name="booking_overdue"),
            models.Index(fields=("house_id", "starts_at"), name="booking_visits_of_house"),
            models.Index(fields=("house_id", "flat", "-created_at"), name="booking_of_flat"),
            models.Index(fields=("client_address", "created_at"), name="booking_of_address"),
            # What the staff's log filters by, each in the order in which it is shown.
            models.Index(fields=("outcome", "-created_at", "-id"), name="booking_log_outcome"),
            models.Index(fields=("category", "-created_at", "-id"), name="booking_log_category"),
            models.Index(fields=("house_id", "-created_at", "-id"), name="booking_log_house"),
            models.Index(fields=("flat_folded", "-created_at", "-id"), name="booking_log_flat"),
            models.Index(fields=("phone", "-created_at", "-id"), name="booking_log_phone"),
            models.Index(fields=("mark", "-created_at", "-id"), name="booking_log_mark"),
            models.Index(fields=("starts_at", "id"), name="booking_log_visit"),
            # Few of many in the order of their visits: the queue of those in doubt, too.
            models.Index(fields=("outcome", "starts_at", "id"), name="booking_log_outcome_visit"),
            models.Index(
                fields=("-created_at", "-id"),
                condition=Q(called_off_at__isnull=False),
                name="booking_log_called_off",
            ),
            models.Index(
                fields=("-created_at", "-id"),
                condition=Q(moved_at__isnull=False),
                name="booking_log_moved",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} · {self.house_title or self.house_id} · {self.flat}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.reference = self.reference or Booking.objects.unused_reference()
        # Normalising may make a number longer than it was.
        self.flat_folded = folded(self.flat)[:64]
        self.mark = self.source.get("utm_source") or self.source.get("ref") or ""
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("booking:show_booking", args=[self.key])

    @property
    def starts_at_local(self) -> datetime:
        """The visit in wall time of the house."""
        return self.starts_at.astimezone(ZoneInfo(self.time_zone))

    @property
    def is_live(self) -> bool:
        stands = self.moved_at is None and self.called_off_at is None
        is_sent = self.outcome in HOLDING and self.reason != HAS_VISIT
        return stands and is_sent and self.anonymised_at is None

    @property
    def same_flat(self) -> dict[str, str]:
        return {"category": self.category, "house_id": self.house_id, "flat": self.flat}

    def is_press_of(self, new: Booking) -> bool:
        """Whether the same answers are being sent for the same address: from another tab.

        While a call is under way, no cookie can tell which browser pressed.
        """
        return (
            self.outcome == Outcome.SENDING
            and new.client_address is not None
            and all(getattr(self, name) == getattr(new, name) for name in self.ANSWERS)
            and self.client_address == new.client_address
        )

    def keeps_out(self, phone: PhoneNumber) -> bool:
        """Whether this live booking of a visit ahead keeps a phone from booking the same flat.

        A doubt keeps out its own phone. Other phones are kept out for half an hour, or until a look
        shows its time still free: else a stranger who presses while the CRM stumbles would shut out
        the owner.
        """
        since = self._in_doubt_since
        if since is None or self.phone == phone:
            return True
        seen_free = self.events.filter(kind=BookingEvent.Kind.EVIDENCE, facts__is_free=True)
        return since > timezone.now() - DOUBT_KEEPS_OUT and not seen_free.exists()

    @property
    def _in_doubt_since(self) -> datetime | None:
        if self.outcome == Outcome.IN_DOUBT:
            return self.settled_at
        is_overdue = self.outcome == Outcome.SENDING and self.deadline_at < timezone.now()
        return self.deadline_at if is_overdue else None

    @property
    def state(self) -> VisitState:
        return state_of(self, timezone.now())

    @property
    def is_booked(self) -> bool:
        """Confirmed, and neither moved nor called off since."""
        return self.state in {VisitState.EXPECTED, VisitState.OVER}

    @property
    def is_in_doubt(self) -> bool:
        """And can be resolved: nobody can look up one that has been anonymised."""
        return self.state is VisitState.IN_DOUBT and self.anonymised_at is None

    @property
    def is_to_come(self) -> bool:
        return self.state is VisitState.EXPECTED

    def note(self, kind: BookingEvent.Kind, facts: dict[str, Any]) -> None:
        """Add to the trail, and to the outbox if it must be told at once.

        `facts` go to staff: JSON, without secrets, tokens or phones.
        """
        with transaction.atomic():
            Notice.objects.about(self.events.create(kind=kind, facts=facts))

    def settle(self, outcome: Outcome, reason: str, facts: dict[str, Any]) -> None:
        """Write what became of the booking, with its event, in one transaction.

        A booking that a person has settled in the meantime keeps that outcome; the late answer is
        still put on its trail.
        """
        with transaction.atomic():
            changed = Booking.objects.filter(pk=self.pk, outcome__in=OPEN).update(
                outcome=outcome,
                reason=reason,
                settled_at=timezone.now(),
                crm_seconds=facts.get("seconds"),
            )
            facts = {**facts, "reason": reason}
            if changed:
                self.note(BookingEvent.Kind(outcome), facts)
            else:
                self.note(BookingEvent.Kind.LATE_ANSWER, {**facts, "outcome": outcome})
        self.refresh_from_db()

    def lose_track(self) -> bool:
        """In doubt from now on, if it is past its deadline and nobody has settled it.

        A press that was not to be sent is refused instead, and False.
        """
        outcome, reason = Outcome.IN_DOUBT, "deadline"
        if self.reason == HAS_VISIT:
            outcome, reason = Outcome.REFUSED, HAS_VISIT
        now = timezone.now()
        with transaction.atomic():
            changed = Booking.objects.filter(
                pk=self.pk, outcome=Outcome.SENDING, deadline_at__lt=now
            ).update(outcome=outcome, reason=reason, settled_at=now)
            if changed:
                self.note(BookingEvent.Kind(outcome), {"reason": reason})
        self.refresh_from_db()
        return bool(changed) and outcome == Outcome.IN_DOUBT

    def resolve(self, outcome: Outcome, *, by: str, note: str) -> bool:
        """A person has found out what became of a booking in doubt. False: it was not in doubt."""
        with transaction.atomic():
            changed = (
                Booking.objects.in_doubt()
                .filter(pk=self.pk)
                .update(outcome=outcome, reason="resolved", settled_at=timezone.now())
            )
            if changed:
                facts = {"outcome": outcome, "by": by, "note": note}
                self.note(BookingEvent.Kind.RESOLVED, facts)
        self.refresh_from_db()
        return bool(changed)

    def call_off(self) -> None:
        """The visit will not take place; the flat and phone may book anew."""
        standing = Booking.objects.filter(pk=self.pk, called_off_at=None, moved_at=None)
        standing.update(called_off_at=timezone.now())
        self.refresh_from_db()

    def anonymise(self, *, phone_hash: str, client_address_hash: str) -> bool:
        """Take away what names a person, here, on the trail and in requests; the rest stays.

        False: another run has done it already.
        """
        with transaction.atomic():
            changed = Booking.objects.filter(pk=self.pk, anonymised_at=None).update(
                phone="",
                phone_hash=phone_hash,
                client_address=None,
                client_address_hash=client_address_hash,
                anonymised_at=timezone.now(),
            )
            if changed:
                for event in self.events.all():
                    event.scrub()
                self.change_requests.update(wish="", answer="")
                self.note(BookingEvent.Kind.ANONYMISED, {})
        return bool(changed)

    def explain_refusal(self, reason: str) -> None:
        """Name the cause of a refusal more closely, once the evidence for it is in."""
        Booking.objects.filter(pk=self.pk, outcome=Outcome.REFUSED).update(reason=reason)
        self.refresh_from_db()
