"""Make a deep link to a flat, with a QR code, to send or print."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import segno
from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import availability, wording
from booking.admin.staff_page import needs, render_staff_page
from booking.crm import CRMError
from booking.models import House
from booking.query import BookingQuery

# `ref` of bookings made through such a link.
SOURCE = {"ref": "personal-link"}


class FlatForm(forms.Form):
    """Choose a flat of a house by any spelling of its number."""

    category = forms.ChoiceField(label=gettext_lazy("What is received"))
    flat = forms.CharField(
        label=gettext_lazy("Number"),
        help_text=gettext_lazy(
            "As in the contract; spaces and letters of either alphabet will do."
        ),
        max_length=64,
    )

    def __init__(self, *args: Any, house: House, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.house = house
        self.is_unchecked = False
        offered = settings.BOOKING_CATEGORIES
        choices = [(category, wording.CATEGORY_NAMES[category]) for category in offered]
        self.fields["category"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Replace the number by the CRM's spelling, if the CRM replies."""
        answers = {"category": "", "flat": "", **(super().clean() or {})}
        if answers["category"] and answers["flat"]:
            answers["flat"] = self._listed(answers["category"], answers["flat"])
        return answers

    def _listed(self, category: str, typed: str) -> str:
        try:
            house = availability.ready_houses(category).house(self.house.house_id)
        except CRMError:
            self.is_unchecked = True
            return typed
        found = house.flats_like(typed) if house else ()
        numbers = [flat.number for flat in found]
        if typed in numbers:
            return typed
        if len(numbers) != 1:
            self.add_error("flat", _("This number is not among the ready ones of the house."))
            return typed
        return numbers[0]


@needs("booking.view_house")
def show(request: HttpRequest, pk: int) -> HttpResponse:
    house = get_object_or_404(House, pk=pk)
    form = FlatForm(request.GET or None, house=house)
    made = {}
    if form.is_valid():
        made = {
            "url": _url(request, form),
            "what": wording.object_name(form.cleaned_data["category"], form.cleaned_data["flat"]),
        }
    return render_staff_page(
        request, "personal_link", title=_("Personal link"), house=house, form=form, **made
    )


@needs("booking.view_house")
def qr_code(request: HttpRequest, pk: int) -> HttpResponse:
    """The link's QR code as an image."""
    form = FlatForm(request.GET, house=get_object_or_404(House, pk=pk))
    if not form.is_valid():
        raise Http404
    file = BytesIO()
    segno.make_qr(_url(request, form), error="m").save(file, kind="svg", scale=5, light="#fff")
    headers = {"Content-Disposition": 'attachment; filename="link.svg"'}
    return HttpResponse(file.getvalue(), content_type="image/svg+xml", headers=headers)


def _url(request: HttpRequest, form: FlatForm) -> str:
    """The link for a valid form, at the address for buyers, which may differ from that of staff."""
    answers = BookingQuery(house=form.house.house_id, source=SOURCE, **form.cleaned_data)
    path = answers.choose_flat_url()
    return settings.SITE_URL + path if settings.SITE_URL else request.build_absolute_uri(path)
