"""Makes a personal link to one flat of a house, with a code to print or to show."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from typing import Any

import segno
from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from booking import availability, personal_link, wording
from booking.admin.desk_page import needs, page
from booking.crm import CRMError
from booking.models import House
from booking.personal_link import PersonalLink


class InvitationForm(forms.Form):
    """For which flat of a house, and for how long."""

    category = forms.ChoiceField(label=gettext_lazy("What is received"))
    flat = forms.CharField(
        label=gettext_lazy("Number"),
        help_text=gettext_lazy(
            "As in the contract; spaces and letters of either alphabet will do."
        ),
        max_length=64,
    )
    until = forms.DateField(
        label=gettext_lazy("Last day of the link"),
        help_text=gettext_lazy("Empty: it never expires."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args: Any, house: House, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.house = house
        self.is_unchecked = False
        offered = settings.BOOKING_CATEGORIES
        choices = [(category, wording.CATEGORY_NAMES[category]) for category in offered]
        self.fields["category"].choices = choices  # type: ignore[attr-defined]

    def clean_until(self) -> date | None:
        until: date | None = self.cleaned_data["until"]
        if until and until < timezone.localdate():
            raise forms.ValidationError(_("This day is over."))
        return until

    def clean(self) -> dict[str, Any]:
        """The number becomes the one that the CRM lists, if the CRM can be asked."""
        answers = {"category": "", "flat": "", **(super().clean() or {})}
        if answers["category"] and answers["flat"]:
            answers["flat"] = self._listed(answers["category"], answers["flat"])
        return answers

    def link(self) -> PersonalLink:
        """Of a valid form."""
        return PersonalLink(house_id=self.house.house_id, **self.cleaned_data)

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
def make(request: HttpRequest, pk: int) -> HttpResponse:
    house = get_object_or_404(House, pk=pk)
    form = InvitationForm(request.POST or None, house=house)
    made = _made(request, form) if form.is_valid() else {}
    return page(request, "invitation", title=_("Personal link"), house=house, form=form, **made)


def _made(request: HttpRequest, form: InvitationForm) -> dict[str, Any]:
    link = form.link()
    token = link.token()
    return {
        "link": link,
        "token": token,
        "url": _url(request, token),
        "what": wording.object_name(link.category, link.flat),
        "code": picture(request, token),
        "is_unchecked": form.is_unchecked,
    }


@needs("booking.view_house")
def code_file(request: HttpRequest) -> HttpResponse:
    """The code of a link of ours as a file to print."""
    token = request.GET.get("token", "")
    try:
        personal_link.read(token)
    except personal_link.LinkError as exc:
        raise Http404 from exc
    headers = {"Content-Disposition": 'attachment; filename="link.svg"'}
    file = BytesIO()
    _code(request, token).save(file, kind="svg", scale=5, light="#fff")
    return HttpResponse(file.getvalue(), content_type="image/svg+xml", headers=headers)


def picture(request: HttpRequest, token: str) -> SafeString:
    """The link as a QR code, to stand inside a page."""
    drawing = _code(request, token).svg_inline(scale=5, light="#fff")
    return mark_safe(drawing)  # noqa: S308 - the library's own: paths, no text of ours


def _code(request: HttpRequest, token: str) -> segno.QRCode:
    return segno.make_qr(_url(request, token), error="m")


def _url(request: HttpRequest, token: str) -> str:
    """Where buyers reach the site, which need not be where staff do."""
    path = reverse("booking:open_link", args=[token])
    return settings.SITE_URL + path if settings.SITE_URL else request.build_absolute_uri(path)
