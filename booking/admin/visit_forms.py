"""The forms with which staff move or cancel a visit: for a caller, or to answer a request."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import availability, wording
from booking.models import Booking, House

# A later date has a wrong year.
FURTHEST = timedelta(days=366)


STANDS = ("stands", gettext_lazy("It takes place as booked"))
MOVED = ("moved", gettext_lazy("It is moved: I have moved it in the CRM"))
CALLED_OFF = ("called_off", gettext_lazy("It is called off: I have removed it in the CRM"))


def _becomes(*choices: tuple[str, Any]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=gettext_lazy("What becomes of the visit?"),
        choices=choices,
        widget=forms.RadioSelect,
    )


class NoteForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("What you found or did"),
        help_text=gettext_lazy("For your colleagues; the buyer does not see it."),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
    )


class ChangeVisitForm(forms.Form):
    """What becomes of a visit, and its new time in wall time of the house."""

    becomes = _becomes(MOVED, CALLED_OFF)
    day = forms.DateField(
        label=gettext_lazy("Moved to the day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=("%Y-%m-%d", "%d.%m.%Y"),
    )
    time = forms.TimeField(
        label=gettext_lazy("at the time"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        input_formats=("%H:%M",),
    )

    def __init__(self, *args: Any, booking: Booking, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.booking = booking
        self.zone = House.for_id(booking.house_id).zone
        self.moved_to: datetime | None = None
        self.fields["time"].help_text = wording.zone_note(booking.starts_at.astimezone(self.zone))

    def clean(self) -> None:
        becomes = self.cleaned_data.get("becomes")
        if becomes == "moved" and not {"day", "time"} & set(self.errors):
            self._read_new_time()
        elif becomes and (self.cleaned_data.get("day") or self.cleaned_data.get("time")):
            self.add_error("becomes", _("You named a day or a time: is the visit moved?"))

    def _read_new_time(self) -> None:
        day, time = self.cleaned_data.get("day"), self.cleaned_data.get("time")
        if day is None or time is None:
            self.add_error("time" if day else "day", _("Name the day and the time it is moved to."))
            return
        moment = availability.unmistakable(datetime.combine(day, time), self.zone)
        if moment is None:
            self.add_error("time", _("The clock is changed in that night: name another time."))
        elif moment <= timezone.now():
            self.add_error("day", _("This time has passed."))
        elif moment > timezone.now() + FURTHEST:
            self.add_error("day", _("This is more than a year ahead: look at the year."))
        elif moment == self.booking.starts_at:
            self.add_error("time", _("The visit is booked for this very time."))
        else:
            self.moved_to = moment


class AnswerForm(ChangeVisitForm):
    """What becomes of the visit, and what the buyer who asked is told."""

    becomes = _becomes(STANDS, MOVED, CALLED_OFF)
    answer = forms.CharField(
        label=gettext_lazy("Answer to the buyer"),
        help_text=gettext_lazy(
            "The buyer reads it on the booking's page. Of a visit that is moved, its new time is"
            " told when you leave this empty."
        ),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=1000,
    )

    def __init__(self, *args: Any, wanted_at: datetime | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if wanted_at:
            wanted = wanted_at.astimezone(self.zone)
            new_time = {"day": wanted.date(), "time": wanted.time()}
            self.initial = {**self.initial, "becomes": "moved", **new_time}

    def clean(self) -> None:
        super().clean()
        if not self.cleaned_data.get("answer") and "answer" not in self.errors:
            self._answer_by_itself(is_moved=self.cleaned_data.get("becomes") == "moved")

    @property
    def taken(self) -> dict[str, Any]:
        """The cleaned data as arguments of `services.visits.answer`."""
        return {
            "answer": self.cleaned_data["answer"],
            "cancels": self.cleaned_data["becomes"] == "called_off",
            "moved_to": self.moved_to,
        }

    def _answer_by_itself(self, *, is_moved: bool) -> None:
        if self.moved_to:
            words = _("The visit is moved to {when}.")
            when = wording.for_day_at(self.moved_to)
            self.cleaned_data["answer"] = words.format(when=when)
        elif not is_moved:
            self.add_error("answer", self.fields["answer"].error_messages["required"])


class CallerForm(ChangeVisitForm, NoteForm):
    """What becomes of the visit of a buyer who has called."""

    field_order = ("becomes", "day", "time", "note")
