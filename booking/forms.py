"""The forms of buyers."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField
from phonenumber_field.phonenumber import PhoneNumber
from phonenumber_field.widgets import RegionalPhoneNumberWidget

from booking import references, typed_phones, wording
from booking.models import ChangeRequest, VisitRequest
from booking.typed_phones import PhoneError


class TypedPhoneField(PhoneNumberField):  # type: ignore[misc]  # the library has no types
    """Reads what people write around a number, too, and says what is wrong with it."""

    def __init__(self, **kwargs: Any) -> None:
        usual = {
            "label": _("Phone"),
            "region": settings.PHONE_REGION,
            "error_messages": {
                "required": _("Enter a phone number, for example 8 900 123-45-67"),
            },
            # No mask: any spelling is read; what we read is shown back as people here write it.
            "widget": RegionalPhoneNumberWidget(
                region=settings.PHONE_REGION,
                attrs={"autocomplete": "tel", "inputmode": "tel", "maxlength": 40},
            ),
        }
        super().__init__(**usual | kwargs)

    def to_python(self, value: str | None) -> Any:
        if value in self.empty_values:
            return self.empty_value
        try:
            return typed_phones.read(value or "", settings.PHONE_REGION)
        except PhoneError as exc:
            raise forms.ValidationError(wording.phone_mistake(exc), code="invalid") from exc


class ConfirmForm(forms.Form):
    """The last step: who is coming, and that they agree."""

    phone = TypedPhoneField(
        label=_("Phone in the contract"),
        help_text=_("Yours or another owner's: it tells us that the flat is yours."),
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


def _wish_field() -> forms.CharField:
    return forms.CharField(
        label=_("In your words"),
        help_text=_("For example, which days and times would suit you"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "max_length": _("Please put it in no more than %(limit_value)d characters")
        },
    )


class RequestForm(forms.Form):
    """A request for a visit, where none can be booked."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    cause = forms.ChoiceField(choices=VisitRequest.Cause.choices, widget=forms.HiddenInput)
    category = forms.ChoiceField(
        choices=lambda: [(each, each) for each in settings.BOOKING_CATEGORIES],
        widget=forms.HiddenInput,
    )
    house = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    house_title = forms.CharField(
        label=_("House"),
        help_text=_("Its name or street"),
        max_length=300,
        error_messages={"required": _("Name your house: its name or street")},
    )
    flat = forms.CharField(
        label=_("Number of the flat, parking space or storage room"),
        help_text=_("As in the contract"),
        max_length=64,
        error_messages={"required": _("Enter the number, as it is in the contract")},
    )
    phone = TypedPhoneField(label=_("Phone in the contract"))
    wish = _wish_field()
    consent = forms.BooleanField(
        label=wording.CONSENT,
        error_messages={"required": _("Tick that you agree to the processing of personal data")},
    )

    use_required_attribute = False


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
    wish = _wish_field()

    use_required_attribute = False

    # The answers of a valid form.

    @property
    def asked_kind(self) -> ChangeRequest.Kind:
        return ChangeRequest.Kind(self.cleaned_data["kind"])

    @property
    def asked_wish(self) -> str:
        wish: str = self.cleaned_data["wish"]
        return wish
