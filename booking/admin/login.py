"""The login form of staff, with limits on passwords."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from booking import login_limits, staff_events

# Longer than any real password: hashing takes time for each character.
LONGEST_PASSWORD = 1000


class StaffLoginForm(AdminAuthenticationForm):
    # Django's form only tells the browser the longest name, but accepts any.
    username = UsernameField(
        max_length=User._meta.get_field("username").max_length,
        widget=forms.TextInput(attrs={"autofocus": True}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        max_length=LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        name, password = (self.cleaned_data.get(each) for each in ("username", "password"))
        if not name or not password or self.request is None:
            return super().clean()
        user = _account(name)
        try:
            attempt = login_limits.begin(self.request, name, user)
        except login_limits.MustWait as pause:
            login_limits.refuse(self.request, pause)
            raise ValidationError(_in_words(pause), code="must_wait") from pause
        if user:
            self.cleaned_data["username"] = user.get_username()
        try:
            cleaned = super().clean()
        except ValidationError:
            staff_events.wrong_password(self.request, name, user, attempt.pause())
            raise
        attempt.was_right()
        return cleaned


def _account(name: str) -> User | None:
    """The account of this name, or the only one that differs in case: phones capitalise."""
    alike = {user.username: user for user in User.objects.filter(username__iexact=name)[:2]}
    return alike.get(name) or (next(iter(alike.values())) if len(alike) == 1 else None)


def _in_words(pause: login_limits.MustWait) -> str:
    # Rounded up to the minute that the page shows, so that the next try is not too early.
    until = timezone.localtime(pause.until + login_limits.FIRST_PAUSE)
    return _(
        "Too many wrong passwords. In this browser try again after %(until)s. A browser in which"
        " you have logged in before lets you in now."
    ) % {"until": f"{until:%H:%M}"}
