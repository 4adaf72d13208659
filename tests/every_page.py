"""Every page of the site as the URLconf has it, and the fields that each is seen to look up."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, urlencode

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.http import QueryDict
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from booking import brand
from booking.models import (
    Booking,
    BookingEvent,
    House,
    LimitLift,
    Notice,
    StaffEvent,
    VisitRequest,
)
from booking.short_keys import ShortKeyConverter
from standin import StandIn
from standin.fixtures import ACCEPTED_PHONE
from tests import journey
from tests.bookings import booking
from tests.fuzzing import undone

FORM = "application/x-www-form-urlencoded"
# Whatever a page looks up, somebody may send another field.
UNKNOWN = "unknown"
# Redirects of Django's admin without a name, which look at nothing.
UNNAMED = "-"
# What a list can be narrowed down by, beside its own filters.
OF_EVERY_LIST = ("q", "o", "p", "e", "all", "_popup", "_to_field", "_facets", "_changelist_filters")
PASSWORD = "example-password-of-olga"

Fields = dict[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """One route, with the path that reaches its view and the fields of an ordinary request."""

    route: str
    path: str
    of_staff: bool
    kwargs: dict[str, str]
    query: Fields = field(default_factory=dict)
    form: Fields = field(default_factory=dict)

    def get(self, client: Client, **changes: str) -> Any:
        return client.get(f"{self.path}?{encoded(self.query | changes)}")

    def post(self, client: Client, **changes: str) -> Any:
        body = encoded(self.form | changes)
        return client.generic("POST", f"{self.path}?{encoded(self.query)}", body, FORM)

    def post_nothing(self, client: Client) -> Any:
        return client.generic("POST", self.path, "", FORM)

    def path_with(self, **changes: str) -> str:
        """Another path of the same route."""
        path = self.path
        for name, value in changes.items():
            path = path.replace(self.kwargs[name], quote(value, safe="("))
        return path


def encoded(fields: Fields) -> str:
    """As short as can be, so that the most fits in: a space is one character."""
    return urlencode(fields, safe="()[]<,:;/'!*|{}\\^~`@$?", errors="surrogatepass")


def routes() -> Iterator[tuple[str, list[str]]]:
    """The names of all routes and of what their paths hold."""
    return _routes(get_resolver(), ())


def _routes(resolver: URLResolver, spaces: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            names = list(getattr(pattern.pattern, "converters", {}))
            yield ":".join([*spaces, pattern.name or UNNAMED]), names
        else:
            space = (pattern.namespace,) if pattern.namespace else ()
            yield from _routes(pattern, (*spaces, *space))


class Site:
    """A site with a row of everything, and a member of staff who may do all."""

    def __init__(self, crm: StandIn) -> None:
        self._start = journey.first_free(crm)
        self.buyer = journey.browser()
        self._form = journey.fill_in(self.buyer, self._start)
        self.confirmed = booking(starts_at=self._start, source={"utm_source": "letter"})
        self.refused = booking(flat="2", outcome="refused", phone="+79007654321")
        self.in_doubt = booking(flat="3", outcome="in_doubt", phone="+79007654322")
        self.resolved = booking(flat="4", reason="resolved", phone="+79007654323")
        self.asked = VisitRequest.objects.create(
            key=uuid.uuid4(),
            cause="full",
            category="flat",
            house_id=journey.HOUSE,
            house_title="Лесной квартал",
            flat=journey.FLAT,
            phone=ACCEPTED_PHONE,
        )
        self._rows = self._one_of_everything()
        self.staff = Client(raise_request_exception=False)
        self.staff.force_login(User.objects.get(username="olga"))

    def page(self, route: str, kwargs: list[str]) -> Page:
        """Raises KeyError for a view whose path holds what nobody has given a value here."""
        values = {name: self._value(route, name) for name in kwargs}
        if route == "admin:app_list":
            values = {"app_label": "booking"}
        path = reverse(route, kwargs=values)
        return Page(
            route,
            path,
            of_staff=route.startswith("admin:"),
            kwargs={name: _as_in(path, value) for name, value in values.items()},
            query=self._query(route),
            form=self._posted(route),
        )

    def client(self, page: Page) -> Client:
        return self.staff if page.of_staff else self.buyer

    def _one_of_everything(self) -> dict[str, int]:
        olga = User.objects.create_superuser("olga", password=PASSWORD)
        asked = self.confirmed.change_requests.create(kind="move", wish="later")
        self.confirmed.note(BookingEvent.Kind.IN_DOUBT, {"reason": "deadline"})
        event = self.confirmed.events.get(kind="in_doubt")
        return {
            "auth_group": Group.objects.get(name="operators").pk,
            "auth_user": olga.pk,
            "booking_booking": self.confirmed.pk,
            "booking_changerequest": asked.pk,
            "booking_house": House.objects.create(house_id=journey.HOUSE).pk,
            "booking_limitlift": LimitLift.objects.create(by="olga", subject="x").pk,
            "booking_notice": Notice.objects.create(event=event, channel="email").pk,
            "booking_visitrequest": self.asked.pk,
            "booking_staffevent": StaffEvent.objects.create(by="olga", kind="exported").pk,
        }

    def _value(self, route: str, name: str) -> Any:
        # A visit that nothing is asked for, so that it may be moved.
        of_keys = {
            "booking:show_request": self.asked.key,
            "booking:move_visit": self.resolved.key,
        }
        usual = {
            "key": of_keys.get(route, self.confirmed.key),
            "name": brand.files("#0a7d4f", "")[0].name,
            "file_format": "csv",
            "content_type_id": "999",
        }
        of_route = {
            "admin:booking_booking_resolve": self.in_doubt.pk,
            "admin:booking_booking_dismiss": self.refused.pk,
            "admin:booking_booking_correct": self.resolved.pk,
            "admin:booking_booking_change_visit": self.resolved.pk,
            "admin:view_on_site": 1,
        }
        if name in usual:
            return usual[name]
        return str(of_route.get(route) or self._pk(route))

    def _pk(self, route: str) -> int:
        model = next(name for name in self._rows if route.startswith(f"admin:{name}_"))
        return self._rows[model]

    def _query(self, route: str) -> Fields:
        chosen = journey.answers(self._start)
        flat = {"category": "flat", "flat": journey.FLAT}
        return {
            "booking:choose_flat": {"category": "flat", "house": journey.HOUSE},
            "booking:choose_time": {**chosen, "start": ""},
            "booking:list_days": {**chosen, "start": ""},
            "booking:confirm": chosen,
            "booking:ask_for_visit": {**chosen, "cause": "full"},
            "booking:book_another": {"category": "storageroom"},
            "booking:move_visit": {"start": chosen["start"]},
            "admin:booking_house_link": flat,
            "admin:booking_house_qr_code": flat,
            "admin:autocomplete": {
                "app_label": "admin",
                "model_name": "logentry",
                "field_name": "user",
                "term": "olga",
            },
        }.get(route, {})

    def _posted(self, route: str) -> Fields:
        """A form that would be taken; of a form that is not listed here, an empty one."""
        house = {"house_id": "7", "address": "ул. Таёжная, 14", "directions": "со двора"}
        return {
            "booking:confirm": self._form,
            "booking:find_booking": {
                "number": str(self.confirmed.reference),
                "phone": ACCEPTED_PHONE,
            },
            "booking:ask_for_change": {"kind": "cancel", "wish": "later"},
            "booking:ask_for_visit": {
                "key": str(uuid.uuid4()),
                "cause": "full",
                "category": "flat",
                "house": journey.HOUSE,
                "house_title": "Лесной квартал",
                "flat": journey.FLAT,
                "phone": ACCEPTED_PHONE,
                "consent": "on",
            },
            "booking:move_visit": {"start": f"{self._start:%Y-%m-%dT%H:%M}"},
            "admin:booking_booking_correct": {"note": "seen"},
            "admin:booking_booking_change_visit": {"becomes": "called_off", "note": "seen"},
            "admin:booking_visitrequest_answer": {"answer": "yes"},
            "admin:login": {"username": "olga", "password": PASSWORD},
            "admin:booking_booking_resolve": {"was_booked": "yes", "note": "seen"},
            "admin:booking_booking_dismiss": {"note": "seen"},
            "admin:booking_changerequest_answer": {"answer": "yes", "calls_off": "no"},
            "admin:booking_house_add": house,
            "admin:booking_house_change": {**house, "house_id": journey.HOUSE},
            "admin:auth_user_add": {
                "username": "anna",
                "usable_password": "true",
                "password1": PASSWORD,
                "password2": PASSWORD,
            },
            "admin:auth_user_change": {"username": "olga", "first_name": "O"},
            "admin:auth_group_add": {"name": "others"},
        }.get(route, {})


def _as_in(path: str, value: Any) -> str:
    """What stands for a value in a path: of a key there are two spellings."""
    return str(value) if str(value) in path else ShortKeyConverter().to_url(value)


def read_of_a_query(page: Page, client: Client) -> set[str]:
    """The fields that a page looks up when it is opened, and one that nobody knows."""
    return _looked_up(client, page.get) | _filters(page.route)


def read_of_a_form(page: Page, client: Client) -> set[str]:
    """Those of a form that would be taken, and of an empty one; nothing where no form is taken."""
    with unchanged(client):
        if page.post(client).status_code == 405:
            return set()
    return _looked_up(client, page.post, page.post_nothing)


def _looked_up(client: Client, *requests: Callable[[Client], Any]) -> set[str]:
    names: set[str] = {UNKNOWN}
    with _noted(names):
        for request in requests:
            with unchanged(client):
                request(client)
    return names


@contextmanager
def unchanged(client: Client) -> Iterator[None]:
    """What a request does to the database and to the browser's cookies is gone after it."""
    cookies = client.cookies
    client.cookies = SimpleCookie({name: morsel.value for name, morsel in cookies.items()})
    with undone():
        yield
    client.cookies = cookies


@contextmanager
def _noted(names: set[str]) -> Iterator[None]:
    """Notes each name that is looked up in a query or a form."""

    def noting(method: str) -> Any:
        usual = getattr(QueryDict, method)

        def look_up(fields: QueryDict, name: Any, *args: Any) -> Any:
            names.add(str(name))
            return usual(fields, name, *args)

        return patch.object(QueryDict, method, look_up)

    with noting("get"), noting("getlist"), noting("__getitem__"), noting("__contains__"):
        yield


def _filters(route: str) -> set[str]:
    """What a list of the admin is narrowed down by: it reads all fields at once."""
    if not route.endswith(("_changelist", "_export")):
        return set()
    label = route.removeprefix("admin:").removesuffix("_changelist")
    models = {f"{m._meta.app_label}_{m._meta.model_name}": m for m in admin.site._registry}
    model_admin = admin.site._registry[models.get(label, Booking)]
    found = {*OF_EVERY_LIST}
    for each in model_admin.list_filter:
        name = getattr(each, "parameter_name", "")
        parts = ("exact", "in", "gte", "lt")
        found |= {name} if name else {f"{each}", *(f"{each}__{part}" for part in parts)}
    return found
