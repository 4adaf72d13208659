"""CSRF_FAILURE_VIEW: tell why Django refused a form, and the way back."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from booking import bounds
from booking.admin import staff_page

LOGIN = "admin:login"


def form_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    view = request.resolver_match.view_name if request.resolver_match else ""
    if not view.startswith("admin:"):
        # Buyers' forms have their own check (`booking.views.cross_site`), other pages no form.
        return HttpResponseNotAllowed(["GET", "HEAD"])
    if view == LOGIN and admin.site.has_permission(request):
        # A second press, or another tab: the first login holds.
        return redirect(LoginView(request=request).get_success_url())
    title = _("You are not logged in") if view == LOGIN else _("Nothing was changed")
    page = staff_page.render_staff_page(
        request, "form_refused", title=title, cause=_cause(reason), back_url=_back_url(request)
    )
    page.status_code = 403
    return page


def _cause(reason: str) -> str:
    if reason == REASON_NO_CSRF_COOKIE:
        return _("Your browser sent no cookie. Allow cookies for this site.")
    if reason.startswith(("Origin checking", "Referer checking")):
        return _("The form came from another site.")
    return _("The page was opened before you last logged in, perhaps in another tab.")


def _back_url(request: HttpRequest) -> str:
    """The page with the form, if the browser sends it."""
    referer = request.headers.get("Referer", "")
    is_ours = len(referer) <= bounds.HEADER and url_has_allowed_host_and_scheme(
        referer, {request.get_host()}
    )
    return referer if is_ours else reverse("admin:index")
