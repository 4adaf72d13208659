"""What a buyer has answered: the URL's part (`Answers`) and the last step's form."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

from django import forms
from django.urls import get_script_prefix, reverse
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField
from phonenumber_field.phonenumber import PhoneNumber
from phonenumber_field.widgets import RegionalPhoneNumberWidget

from booking import bounds, references, wording
from booking.models import Booking, ChangeRequest

ANSWERS = ("category", "house", "flat", "date", "start")
SOURCES = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "ref")
# As long as anything that the CRM lists or a campaign sends; the journal's columns are as wide.
LONGEST_ANSWER = 64
LONGEST_SOURCE = 200
# Stands for an answer that is longer or holds NUL: cut or cleaned, it could be taken for another.
UNREADABLE = "\N{REPLACEMENT CHARACTER}"
WALL_TIME = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers so far, as texts: the URL is the state of the wizard.

    Nothing here is known to be right. `date` and `start` are parsed by `day` and `wall_start`, the
    rest is compared with what the CRM lists, byte for byte.
    """

    category: str = ""
    house: str = ""
    flat: str = ""
    date: str = ""
    start: str = ""
    source: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Answers:
        def answer(name: str) -> str:
            value = str(data.get(name, ""))
            return value if len(value) <= LONGEST_ANSWER and "\0" not in value else UNREADABLE

        def told(name: str) -> str:
            return str(data.get(name, "")).replace("\0", "")[:LONGEST_SOURCE]

        answers = {name: answer(name) for name in ANSWERS if name in data}
        source = {name: told(name) for name in SOURCES if name in data}
        return cls(**answers, source={name: value for name, value in source.items() if value})

    @classmethod
    def of(cls, booking: Booking) -> Answers:
        """The answers a booking was made with."""
        return cls(
            category=booking.category,
            house=booking.house_id,
            flat=booking.flat,
            start=booking.starts_at_local.strftime(WALL_TIME),
            source=booking.source,
        )

    @property
    def day(self) -> datetime.date | None:
        try:
            day = datetime.date.fromisoformat(self.date)
        except ValueError:
            return None
        # Not "20261201" either, nor "2026-W49-2": one day has one spelling.
        return day if day.isoformat() == self.date else None

    @property
    def wall_start(self) -> datetime.datetime | None:
        """The chosen start as naive wall time of the house."""
        try:
            start = datetime.datetime.fromisoformat(self.start)
        except ValueError:
            return None
        # Not "20261201T0900" either, nor with an offset: one time has one spelling.
        return start if start.strftime(WALL_TIME) == self.start else None

    @property
    def names_a_flat(self) -> bool:
        """Whether there is a flat and its house, listed or not."""
        return not {"", UNREADABLE} & {self.house, self.flat}

    def is_for(self, booking: Booking) -> bool:
        """Whether a booking was made with these answers (its phone apart)."""
        names = ("category", "house", "flat", "start")
        made_with = Answers.of(booking)
        return all(getattr(self, name) == getattr(made_with, name) for name in names)

    def but(self, **changes: Any) -> Answers:
        return replace(self, **changes)

    def fields(self, *names: str) -> list[tuple[str, str]]:
        """The named answers that are given, and the source, as hidden fields of a form."""
        given = [(name, getattr(self, name)) for name in names]
        return [(name, value) for name, value in (*given, *self.source.items()) if value]

    def choose_flat_url(self) -> str:
        names = ("category", "house", "flat", "date", "start")
        return self._url(_path("booking:choose_flat"), *names)

    def after_flat_url(self) -> str:
        """Where step 1 leads: to the times or, with a time chosen before, back to the last step."""
        return self.confirm_url() if self.start else self.choose_time_url()

    def choose_time_url(self) -> str:
        names = ("category", "house", "flat", "date", "start")
        return self._url(_path("booking:choose_time"), *names)

    def confirm_url(self) -> str:
        names = ("category", "house", "flat", "start")
        return self._url(_path("booking:confirm"), *names)

    def booking_url(self, booking: Booking) -> str:
        """A booking's page, which tells what else was asked for."""
        return self._url(booking.get_absolute_url(), "start")

    def url_of(self, path: str) -> str:
        """Of a page that is no step: with where the buyer came from."""
        return self._url(path)

    def _url(self, path: str, *names: str) -> str:
        query = "&".join(_encoded(name, value) for name, value in self.fields(*names))
        return f"{path}?{query}" if query else path


# A page has half a dozen addresses of the same answers.
@lru_cache(maxsize=1024)
def _encoded(name: str, value: str) -> str:
    return f"{name}={quote_plus(value)}"


def _path(view: str) -> str:
    """Where a step is. A page needs it many times, and it never changes."""
    return _path_under(get_script_prefix(), view)


@lru_cache(maxsize=16)
def _path_under(_prefix: str, view: str) -> str:
    return reverse(view)


# To be matched at the start: a search for what follows the last digit is quadratic.
UP_TO_LAST_DIGIT = re.compile(r".*\d", re.DOTALL)


class TypedPhoneField(PhoneNumberField):  # type: ignore[misc]  # the library has no types
    """Reads what people write around a number, too: «8 900 123-45-67 Анна», and 0049 for +49."""

    def __init__(self, **kwargs: Any) -> None:
        usual = {
            "label": _("Phone"),
            "error_messages": {
                "required": _("Enter a phone number, for example 8 900 123-45-67"),
                "invalid": _("Enter a phone number, for example 8 900 123-45-67"),
            },
            # No mask: any spelling is read; what we read is shown back as people here write it.
            "widget": RegionalPhoneNumberWidget(
                region="RU", attrs={"autocomplete": "tel", "inputmode": "tel", "maxlength": 40}
            ),
        }
        super().__init__(**usual | kwargs)

    def to_python(self, value: str | None) -> Any:
        number = UP_TO_LAST_DIGIT.match(bounds.capped(value or "", bounds.PHONE))
        return super().to_python(re.sub(r"^\s*00", "+", number[0]) if number else "")


class ConfirmForm(forms.Form):
    """The last step: who is coming, and that they agree."""

    phone = TypedPhoneField(
        help_text=_(
            "The phone of any co-owner named in the contract. It tells us that it is you who books."
        ),
    )
    consent = forms.BooleanField(
        label=wording.CONSENT,
        error_messages={"required": _("Tick that you agree to the processing of personal data")},
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    use_required_attribute = False

    @property
    def has_key(self) -> bool:
        return "key" not in self.errors

    def with_new_key(self) -> ConfirmForm:
        """The same answers, to be sent as a new booking."""
        form = ConfirmForm({**dict(self.data.items()), "key": str(uuid.uuid4())})
        form.full_clean()
        return form

    # The answers of a valid form.

    @property
    def typed_phone(self) -> PhoneNumber:
        phone: PhoneNumber = self.cleaned_data["phone"]
        return phone

    @property
    def booking_key(self) -> uuid.UUID:
        key: uuid.UUID = self.cleaned_data["key"]
        return key


class FindForm(forms.Form):
    """What leads back to the page of a booking: its number, and the phone it was made with."""

    number = forms.CharField(
        label=_("Booking number"),
        help_text=_("From the page of your booking, for example A1234BC"),
        error_messages={"required": _("Enter the booking number, for example A1234BC")},
        widget=forms.TextInput(
            attrs={
                "class": "input--short",
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "maxlength": references.LONGEST_TYPED,
            }
        ),
    )
    phone = TypedPhoneField(help_text=_("The one that was given for the booking"))

    use_required_attribute = False

    def clean_number(self) -> str:
        number = references.parse(self.cleaned_data["number"])
        if number is None:
            raise forms.ValidationError(
                _("A letter, four digits and two letters, for example A1234BC: check the number")
            )
        return number

    # The answers of a valid form.

    @property
    def typed_number(self) -> str:
        number: str = self.cleaned_data["number"]
        return number

    @property
    def typed_phone(self) -> PhoneNumber:
        phone: PhoneNumber = self.cleaned_data["phone"]
        return phone


class ChangeForm(forms.Form):
    """A wish to move or cancel a visit."""

    kind = forms.ChoiceField(
        label=_("What would you like?"),
        choices=[
            (ChangeRequest.Kind.MOVE, _("Move the visit to another time")),
            (ChangeRequest.Kind.CANCEL, _("Cancel the visit")),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose whether to move or to cancel the visit"),
            "invalid_choice": _("Choose whether to move or to cancel the visit"),
        },
    )
    wish = forms.CharField(
        label=_("In your words"),
        help_text=_("For example, which days and times would suit you"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "max_length": _("Please put it in no more than %(limit_value)d characters")
        },
    )

    use_required_attribute = False

    # The answers of a valid form.

    @property
    def asked_kind(self) -> ChangeRequest.Kind:
        return ChangeRequest.Kind(self.cleaned_data["kind"])

    @property
    def asked_wish(self) -> str:
        wish: str = self.cleaned_data["wish"]
        return wish
