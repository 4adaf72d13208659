"""Record logins of staff, failed ones, and changes of accounts and rights."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.http import HttpRequest
from django.utils import timezone

from booking import known_browsers
from booking.client_address import address_hash, client_address
from booking.login_limits import MustWait
from booking.models import StaffEvent
from booking.observability import metrics

logger = logging.getLogger(__name__)

Kind = StaffEvent.Kind
COMMAND_LINE = "manage.py"
FLAGS = ("is_active", "is_staff", "is_superuser")
# A username with this many digits may be a phone.
DIGITS_OF_A_PHONE = 10
# Wrong passwords make at most one row in this time for each account, and one for unknown names.
TOLD_EVERY = timedelta(minutes=1)
AS_STORED = "staff_events_as_stored"

_current: ContextVar[HttpRequest | None] = ContextVar("staff_request", default=None)


@contextmanager
def during(request: HttpRequest) -> Iterator[None]:
    """Record changes made meanwhile as made by the request's user."""
    token = _current.set(request)
    try:
        yield
    finally:
        _current.reset(token)


def record(kind: StaffEvent.Kind, *, by: str, **facts: Any) -> None:
    StaffEvent.objects.create(by=shown(by), kind=kind, facts=facts)


def shown(name: str) -> str:
    """A username; masked if it may be a phone."""
    digits = re.sub(r"\D", "", name)
    return name if len(digits) < DIGITS_OF_A_PHONE else f"…{digits[-2:]}"


def wrong_password(
    request: HttpRequest, name: str, user: User | None, pause: MustWait | None
) -> None:
    """Record a wrong password, and the `pause` that it leads to. Refused tries are only counted."""
    metrics.STAFF_LOGINS.labels("wrong").inc()
    account, client = _account(name, user), _client(request)
    logger.info("Wrong password for %s (client %s)", account, client)
    _record_once(Kind.LOGIN_FAILED, user, account, client=client)
    if pause:
        until = timezone.localtime(pause.until)
        logger.warning(
            "Too many wrong passwords for %s: no try before %s (%s, client %s)",
            account,
            f"{until:%H:%M:%S}",
            pause.limit,
            client,
        )
        facts = {"limit": pause.limit, "until": until.isoformat(timespec="seconds")}
        _record_once(Kind.LOGIN_SLOWED, user, account, client=client, **facts)


def connect() -> None:
    """Connect to Django's signals of logins and accounts."""
    user_logged_in.connect(_logged_in)
    user_logged_out.connect(_logged_out)
    pre_save.connect(_before_save, sender=User)
    post_save.connect(_saved, sender=User)
    for model in (User, Group):
        post_delete.connect(_deleted, sender=model)
    for through in (User.groups, User.user_permissions, Group.permissions):
        m2m_changed.connect(_rights_changed, sender=through.through)


def _account(name: str, user: User | None) -> str:
    """The username; the beginning of an unknown name, which may be a mistyped password."""
    return shown(user.get_username()) if user else f"{name[:2]}… (no such account)"


def _client(request: HttpRequest) -> str:
    return address_hash(client_address(request))


def _record_once(kind: StaffEvent.Kind, user: User | None, account: str, **facts: Any) -> None:
    by = account if user else ""
    told = StaffEvent.objects.filter(kind=kind, by=by, at__gt=timezone.now() - TOLD_EVERY)
    if not told.exists():
        record(kind, by=by, **({} if user else {"account": account}), **facts)


def _logged_in(request: HttpRequest, user: User, **signal: Any) -> None:
    is_new = not known_browsers.name_for(request, user)
    metrics.STAFF_LOGINS.labels("right").inc()
    logger.info(
        "%s has logged in%s (client %s)",
        shown(user.get_username()),
        " from a new browser" if is_new else "",
        _client(request),
    )
    record(Kind.LOGGED_IN, by=user.get_username(), client=_client(request), new_browser=is_new)
    known_browsers.note(request, user)


def _logged_out(user: User | None, **signal: Any) -> None:
    if user:
        record(Kind.LOGGED_OUT, by=user.get_username())


def _actor() -> str:
    user = getattr(_current.get(), "user", None)
    return user.get_username() if user else COMMAND_LINE


def _before_save(instance: User, *, raw: bool, update_fields: Any, **signal: Any) -> None:
    # Django saves single fields for the last login and an upgraded hash: no change of an account.
    if not raw and update_fields is None:
        setattr(instance, AS_STORED, User.objects.filter(pk=instance.pk).first())


def _saved(instance: User, *, created: bool, **signal: Any) -> None:
    if not hasattr(instance, AS_STORED):
        return
    before: User | None = getattr(instance, AS_STORED)
    delattr(instance, AS_STORED)
    given = [flag for flag in FLAGS if getattr(instance, flag) and not getattr(before, flag, False)]
    taken = [flag for flag in FLAGS if getattr(before, flag, False) and not getattr(instance, flag)]
    facts: dict[str, Any] = {"account": shown(instance.get_username())}
    if before and before.get_username() != instance.get_username():
        facts["renamed_from"] = shown(before.get_username())
    if created:
        facts["created"] = True
    if created or given or taken or "renamed_from" in facts:
        _changed(given=given, taken=taken, **facts)
    if before and before.password != instance.password:
        record(Kind.PASSWORD_CHANGED, by=_actor(), account=facts["account"])
        request = _current.get()
        if request and request.user.pk == instance.pk:
            known_browsers.note(request, instance)


def _deleted(instance: User | Group, **signal: Any) -> None:
    _changed(**_named(instance), deleted=True)


def _rights_changed(
    sender: Any, instance: Any, action: str, model: Any, pk_set: Any, reverse: bool, **signal: Any
) -> None:
    if action not in {"post_add", "post_remove", "pre_clear"}:
        return
    if pk_set is None:
        here, there = instance._meta.model_name, model._meta.model_name
        pk_set = sender.objects.filter(**{here: instance}).values_list(there, flat=True)
    others = list(model.objects.filter(pk__in=pk_set))
    holders, rights = (others, [instance]) if reverse else ([instance], others)
    how = "given" if action == "post_add" else "taken"
    for holder in holders:
        if rights:
            _changed(**_named(holder), **{how: [_right(right) for right in rights]})


def _changed(**facts: Any) -> None:
    told = {name: value for name, value in facts.items() if value}
    actor = _actor()
    logger.info("%s has changed an account: %s", shown(actor), told)
    record(Kind.ACCOUNT_CHANGED, by=actor, **told)


def _named(holder: Model) -> dict[str, str]:
    if isinstance(holder, User):
        return {"account": shown(holder.get_username())}
    return {"group": str(holder)}


def _right(right: Model) -> str:
    if isinstance(right, Permission):
        return f"{right.content_type.app_label}.{right.codename}"
    return str(right)
