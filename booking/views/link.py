"""A personal link: on to the times of its flat, or to step 1, which says what is wrong with it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from booking import personal_link
from booking.forms import Answers
from booking.personal_link import LinkError


@never_cache
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    source = {"ref": personal_link.SOURCE, **Answers.read(request.GET).source}
    came_with = Answers(source=source)
    try:
        link = personal_link.read(token)
    except LinkError as error:
        return redirect(_to_step_1(error, came_with))
    answers = came_with.but(category=link.category, house=link.house_id, flat=link.flat)
    return redirect(answers.choose_time_url())


def _to_step_1(error: LinkError, came_with: Answers) -> str:
    """With the house of a link that has but expired; its flat would lead on, past the message."""
    link = error.link
    answers = came_with.but(category=link.category, house=link.house_id) if link else came_with
    return f"{answers.choose_flat_url()}&{urlencode({'link': error.problem})}"
