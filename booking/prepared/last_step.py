"""Step 3: all answers to be checked, and the form."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from booking import pages, wording
from booking.availability import House
from booking.forms import Answers, ConfirmForm
from booking.marks import Drawn, mark
from booking.prepared.pieces import choices, drawn_once, hidden, own_choices


def check_answers(
    answers: Answers,
    house: House,
    flat: str,
    start: datetime,
    *,
    notice: str,
    fields: SafeString,
    form_token: str,
) -> SafeString:
    """Step 3: all that was chosen, and the form; `fields` are its own, `notice` is markup."""
    day = start.date().isoformat()
    names = ("category", "house", "flat", "start")
    own = {
        **own_choices(answers, flat),
        "to_times": answers.but(date=day, start="").choose_time_url(),
        "notice": notice,
        "action": answers.confirm_url(),
        "hidden": hidden(answers.fields(*names)),
        "fields": fields,
        "form_token": form_token,
    }
    drawn = _check_answers(
        answers.category,
        house,
        start,
        timezone.localdate().year,
        settings.PRIVACY_POLICY_URL,
        get_language(),
    )
    return drawn.filled(own)


@lru_cache(maxsize=256)
def _check_answers(
    category: str,
    house: House,
    start: datetime,
    _this_year: int,
    privacy_policy_url: str,
    _language: str | None,
) -> Drawn:
    context = {
        "notice": mark("notice"),
        "back_url": mark("to_times"),
        "chosen": [*choices(category, house), pages.time_row(start, mark("to_times"))],
        "clock": pages.house_clock(start),
        "action": mark("action"),
        "hidden": mark("hidden"),
        "fields": mark("fields"),
        "form_token": mark("form_token"),
        "privacy_policy_url": privacy_policy_url,
        "submit_label": _("Book for {when}").format(when=wording.for_day_at(start)),
    }
    return drawn_once("booking/_confirm.html", context)


def untouched_fields(key: UUID) -> SafeString:
    """The form's fields as they are for who has not filled in anything."""
    return _untouched_fields(get_language()).filled({"key": str(key)})


@lru_cache(maxsize=8)
def _untouched_fields(_language: str | None) -> Drawn:
    return Drawn.of(fields(ConfirmForm(initial={"key": mark("key")})))


def fields(form: ConfirmForm) -> SafeString:
    return render_to_string("booking/_fields.html", {"form": form})
