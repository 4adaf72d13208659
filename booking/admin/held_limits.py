"""The page of reached limits on guesses, which staff can lift."""

from __future__ import annotations

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from phonenumber_field.phonenumber import PhoneNumber

from booking import finding, rate_limits, wording
from booking.admin import words
from booking.admin.read_only import ReadOnly
from booking.admin.staff_page import needs, render_staff_page
from booking.models import LimitLift
from booking.rate_limits import Holding, Limit

# What each limit keeps out, in terms of its newest guess.
WORDS: dict[Limit, Promise] = {
    Limit.PHONES_OF_CLIENT: gettext_lazy("{client} has tried too many phones for {flat}"),
    Limit.FLATS_OF_CLIENT: gettext_lazy("{client} has tried too many flats with {phone}"),
    Limit.PAIRS_OF_CLIENT: gettext_lazy("{client} has tried too many flats and phones"),
    Limit.PHONES_OF_FLAT: gettext_lazy("too many phones were tried for {flat}, by many"),
    Limit.FLATS_OF_PHONE: gettext_lazy("{phone} was tried for too many flats, by many"),
    Limit.FIND_CLIENT: gettext_lazy("{client} has searched for bookings too often in vain"),
}


@admin.register(LimitLift)
class LimitLiftAdmin(ReadOnly, admin.ModelAdmin[LimitLift]):
    list_display = ("at", "by", "subject")


def holding() -> list[Holding]:
    """Limits of booking, then of the search."""
    return [*rate_limits.holding(), *finding.holding()]


@needs("booking.lift_limit")
def show(request: HttpRequest) -> HttpResponse:
    held = holding()
    if request.method == "POST":
        return _lift(request, held)
    return render_staff_page(
        request,
        "held_limits",
        title=_("Limits that hold"),
        held=[
            {
                "words": _in_words(each),
                "newest": words.short_moment(each.newest.at),
                "until": words.short_moment(each.until),
                "subject": each.subject,
            }
            for each in held
        ],
    )


def _lift(request: HttpRequest, held: list[Holding]) -> HttpResponse:
    chosen = next((each for each in held if each.subject == request.POST.get("subject")), None)
    if chosen is None:
        messages.info(request, _("This limit does not hold any more."))
    else:
        rate_limits.lift(chosen, by=request.user.get_username())
        messages.success(request, _("Lifted: {limit}").format(limit=_in_words(chosen)))
    return redirect("admin:booking_held_limits")


def _in_words(held: Holding) -> str:
    category, house_id, flat = held.newest.flat
    phone = held.newest.phone
    what = wording.object_name(category, flat)
    return str(WORDS[held.limit]).format(
        client=held.newest.client or "",
        flat=_("{flat} in house {house}").format(flat=what, house=house_id),
        phone=wording.masked_phone(PhoneNumber.from_string(phone) if phone else None),
    )
