"""A personal link: on to the times of its flat, or to step 1, which says what is wrong with it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from booking import personal_link
from booking.forms import Answers


@never_cache
@require_safe
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    try:
        link = personal_link.read(token)
    except personal_link.LinkError as error:
        start = Answers().choose_flat_url()
        return redirect(f"{start}?{urlencode({'link': error.problem})}")
    source = {"ref": personal_link.SOURCE, **Answers.read(request.GET).source}
    answers = Answers(category=link.category, house=link.house_id, flat=link.flat, source=source)
    return redirect(answers.choose_time_url())
