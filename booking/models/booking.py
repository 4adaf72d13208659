"""The journal of bookings, changed only by `booking.services` and `booking.retention`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField
from phonenumber_field.phonenumber import PhoneNumber

from booking import references
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


# Outcomes of bookings that hold a visit, or may hold one, and so block another of the same flat.
HOLDING = (Outcome.SENDING, Outcome.CONFIRMED, Outcome.IN_DOUBT)
# Reason of a press refused without a call, because its flat has a visit ahead. The buyer reads the
# same text as for a phone that does not match.
HAS_VISIT = "has_visit"
LIVE = ~Q(reason=HAS_VISIT) & Q(
    outcome__in=HOLDING, called_off_at=None, moved_at=None, anonymised_at=None
)


class BookingManager(models.Manager["Booking"]):
    def beside(self, doubt: Booking) -> models.QuerySet[Booking]:
        """Other live bookings ahead of the same flat, beside one in doubt."""
        return self.of_flat(doubt).filter(LIVE, starts_at__gt=timezone.now()).exclude(pk=doubt.pk)

    def of_flat(self, booking: Booking) -> models.QuerySet[Booking]:
        return self.filter(**booking.same_flat)

    def unused_reference(self) -> str:
        """Make a number until one is free: at 100,000 bookings one in 170 is taken."""
        while self.filter(reference=(number := references.make())).exists():
            pass
        return number

    def numbered(self, reference: str, phone: PhoneNumber) -> Booking | None:
        """Find a booking by its number and phone."""
        return self.filter(reference=reference, phone=phone, anonymised_at=None).first()

    def in_doubt(self) -> models.QuerySet[Booking]:
        """Bookings in doubt that staff can resolve."""
        in_doubt = in_state(VisitState.IN_DOUBT, now=timezone.now())
        return self.filter(in_doubt, anonymised_at=None)


class Booking(models.Model):
    """One press of the button, or a visit that staff wrote down. Never deleted.

    A flat has one visit ahead (`services.booking.Standing`): the CRM keeps one date of a handover.

    Moving a visit makes a second row that `follows` the first, which keeps its time and gets
    `moved_at`.
    """

    ANSWERS = ("category", "house_id", "flat", "phone", "starts_at")

    key = models.UUIDField(_("key"), unique=True, editable=False)
    # What the buyer quotes on the phone (`booking.references`).
    reference = models.CharField(_("booking number"), max_length=7, unique=True, editable=False)
    outcome = models.CharField(
        _("outcome"), max_length=16, choices=Outcome.choices, default=Outcome.SENDING
    )
    reason = models.CharField(_("reason"), max_length=32, blank=True)
    category = models.CharField(_("category"), max_length=16, choices=Category.choices)
    house_id = models.CharField(_("house id"), max_length=64)
    house_title = models.CharField(_("house"), max_length=300, blank=True)
    flat = models.CharField(_("flat"), max_length=64)
    # The number as people search for it, set by `save`.
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
    # Username of staff who wrote the row down without a call of the CRM; "" for a buyer's press.
    written_by = models.CharField(_("written down by"), max_length=150, blank=True)
    consent = models.CharField(_("version of the consent"), max_length=32, blank=True)
    source = models.JSONField(_("source"), default=dict, blank=True)
    # utm_source or ref of the buyer's link, to filter by; set by `save`.
    campaign = models.CharField(max_length=200, blank=True, editable=False)
    client_address = models.GenericIPAddressField(_("client address"), null=True, blank=True)
    stand_in = models.BooleanField(_("demonstration"), default=False)
    # True for the flat's latest booking. The constraint lets one of two parallel presses through.
    holds_flat = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(_("made at"), default=timezone.now, editable=False)
    deadline_at = models.DateTimeField(_("answer expected by"), editable=False)
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    # Set when staff cancel or move a booked visit.
    called_off_at = models.DateTimeField(_("called off at"), null=True, blank=True)
    moved_at = models.DateTimeField(_("moved at"), null=True, blank=True)
    crm_seconds = models.FloatField(_("the CRM took, in seconds"), null=True, blank=True)
    # Keyed hashes that replace phone and address of an old booking: equal values stay equal.
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
            # Filters of the staff's log, each in the order in which the log is shown.
            models.Index(fields=("outcome", "-created_at", "-id"), name="booking_log_outcome"),
            models.Index(fields=("category", "-created_at", "-id"), name="booking_log_category"),
            models.Index(fields=("house_id", "-created_at", "-id"), name="booking_log_house"),
            models.Index(fields=("flat_folded", "-created_at", "-id"), name="booking_log_flat"),
            models.Index(fields=("phone", "-created_at", "-id"), name="booking_log_phone"),
            models.Index(fields=("campaign", "-created_at", "-id"), name="booking_log_campaign"),
            models.Index(fields=("starts_at", "id"), name="booking_log_visit"),
            # A rare outcome in the order of visits; also serves the queue of bookings in doubt.
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
        self.reference = self.reference or references.make()
        # Normalising may lengthen a number.
        self.flat_folded = folded(self.flat)[:64]
        self.campaign = self.source.get("utm_source") or self.source.get("ref") or ""
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("booking:show_booking", args=[self.key])

    def get_short_url(self) -> str:
        """The same page, for messages and print."""
        return reverse("booking:short_address", args=[self.key])

    @property
    def starts_at_local(self) -> datetime:
        """The start in wall time of the house."""
        return self.starts_at.astimezone(ZoneInfo(self.time_zone))

    @property
    def is_live(self) -> bool:
        stands = self.moved_at is None and self.called_off_at is None
        is_sent = self.outcome in HOLDING and self.reason != HAS_VISIT
        return stands and is_sent and self.anonymised_at is None

    @property
    def same_flat(self) -> dict[str, str]:
        return {"category": self.category, "house_id": self.house_id, "flat": self.flat}

    @property
    def in_doubt_since(self) -> datetime | None:
        """When the booking got in doubt, whether or not that is written down yet."""
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
        """In doubt and resolvable: after anonymising, the CRM can't be searched for it."""
        return self.state is VisitState.IN_DOUBT and self.anonymised_at is None

    @property
    def is_to_come(self) -> bool:
        return self.state is VisitState.EXPECTED

    @property
    def moved_from(self) -> Booking | None:
        """The row whose visit was moved to this row's time.

        Old rows may follow an earlier visit of the same flat that was not moved, or only later.
        """
        before = self.follows
        if before is None or before.moved_at is None or before.moved_at > self.created_at:
            return None
        return before

    @property
    def is_move(self) -> bool:
        """Whether the row was written to move a visit that was ahead then, whatever came of it."""
        return self.follows is not None and self.follows.starts_at > self.created_at

    @property
    def is_failed_move(self) -> bool:
        return self.is_move and self.outcome in {Outcome.REFUSED, Outcome.NOT_SENT}

    def pending_move(self) -> Booking | None:
        """The row that may move this visit: its reply has not come."""
        is_stored = self.pk is not None
        if not is_stored or not self.is_to_come:
            return None
        unsettled = (Outcome.SENDING, Outcome.IN_DOUBT)
        return self.followed_by.filter(LIVE, outcome__in=unsettled).order_by("-pk").first()

    def move_in_question(self) -> tuple[Booking, Booking] | None:
        """Both rows of a move whose reply has not come, seen from either: one of them stands."""
        if self.is_move and self.follows and self.follows.is_to_come:
            is_unsettled = self.outcome in {Outcome.SENDING, Outcome.IN_DOUBT} and self.is_live
            return (self.follows, self) if is_unsettled else None
        after = self.pending_move()
        return (self, after) if after else None

    def was_corrected(self) -> bool:
        """Whether staff said otherwise of a booking that they had found out about."""
        is_resolved = self.pk is not None and self.reason == "resolved"
        return is_resolved and self.events.filter(kind=BookingEvent.Kind.CORRECTED).exists()

    def history(self) -> list[Booking]:
        """The rows of a moved visit up to this one, beginning with the buyer's."""
        rows = [self]
        while before := rows[0].moved_from:
            rows.insert(0, before)
        return rows

    def latest(self) -> Booking:
        """The current row of the visit."""
        row = self
        while row.moved_at is not None:
            row = row.followed_by.filter(outcome=Outcome.CONFIRMED).latest("pk")
        return row

    def note(self, kind: BookingEvent.Kind, facts: dict[str, Any]) -> None:
        """Add an event to the trail and, if staff must hear of it, notices to the outbox.

        Staff read `facts`: JSON without secrets, tokens or phones.
        """
        with transaction.atomic(savepoint=False):
            Notice.objects.enqueue(self.events.create(kind=kind, facts=facts))
