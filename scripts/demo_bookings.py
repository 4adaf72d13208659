"""Fill a new demo: what staff know of the houses, and bookings of every outcome.

The bookings are made as buyers and staff make them, by the pages. `scripts/demo.py` runs this
beside a stand-in CRM that has just started, in the environment of the demo's processes.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from http.client import HTTPConnection
from urllib.parse import urlsplit

import django
from django.utils import timezone


class Clock:
    """The site's clock, which can be turned back."""

    behind = timedelta(0)
    _now = staticmethod(timezone.now)

    def __call__(self) -> datetime:
        return self._now() - self.behind


CLOCK = Clock()
# Before there are models, which take it for their defaults.
timezone.now = CLOCK

django.setup()

from django.conf import settings  # noqa: E402 - after the set-up
from django.contrib.auth.models import Group, User  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.urls import reverse  # noqa: E402

from booking.models import Booking, House  # noqa: E402
from standin import REFUSED_PHONE, StandIn  # noqa: E402
from standin.fixtures import Flat, shareholders  # noqa: E402
from standin.management.commands.standin import LIVELY  # noqa: E402

Fault = dict[str, object]

MAP = "https://www.openstreetmap.org/?mlat={0}&mlon={1}#map=17/{0}/{1}"
BRING = "Паспорт\nДоговор и квитанции об оплате\nДоверенность, если придёт представитель"
HOUSES = [
    {
        "house_id": "3105011",
        "address": "г. Екатеринбург, ул. Таёжная, 14",
        "map_url": MAP.format(56.8101, 60.5602),
        "directions": "Вход со двора, подъезд 1. Вас встретят в холле.",
        "visit_minutes": 60,
    },
    {
        "house_id": "3105012",
        "address": "г. Екатеринбург, ул. Таёжная, 16",
        "map_url": MAP.format(56.8105, 60.5611),
        "directions": "Подъезд вашей секции: первая цифра в номере квартиры после точки.",
        "visit_minutes": 60,
    },
    {
        "house_id": "3105027",
        "address": "г. Екатеринбург, ул. Луговая, 5, корпус 1",
        "map_url": MAP.format(56.7702, 60.5503),
        "directions": "Вход с улицы, под вывеской «Луговая, 5».",
        "visit_minutes": 45,
    },
    {
        "house_id": "3105034",
        "address": "г. Екатеринбург, Речная наб., 3/2",
        "map_url": MAP.format(56.8402, 60.5904),
        "directions": "Вход с набережной. Парковка для гостей у дома 3/1.",
        "visit_minutes": 90,
    },
    {
        "house_id": "3105040",
        "address": "г. Екатеринбург, ул. Таёжная, 18",
        "map_url": MAP.format(56.8109, 60.5620),
        "directions": "Въезд с улицы Таёжной, пост охраны слева от ворот.",
        "bring": "Паспорт\nДоговор\nНомер автомобиля, если приедете на нём",
        "visit_minutes": 30,
    },
    {
        "house_id": "3104998",
        "address": "г. Екатеринбург, пер. Садовый, 8",
        "map_url": MAP.format(56.8203, 60.6305),
        "directions": "Подъезд 2, домофон 33.",
        "visit_minutes": 60,
    },
]
NO_REPLY: Fault = {"kind": "drop_after_write"}
SLOT_TAKEN: Fault = {"kind": "slot_just_taken"}
YES: Fault = {
    "kind": "status",
    "status": 200,
    "headers": {"Content-Type": "application/json"},
    "body": '{"status_code":200,"data":[],"message":"Спасибо! Мы записали Вас на указанное время"}',
}


def main() -> None:
    demo = Demo()
    for house in HOUSES:
        _write_down({"bring": BRING, **house})
    demo.press("3105011", "1.8-5-2", in_days=1)
    demo.press("3105012", "2.3-10-1", in_days=1)
    demo.press("3105034", "Кл. 2", in_days=2, category="storageroom")
    demo.press("3105040", "М-1/7", in_days=3, category="garage")
    demo.press_last_week("3105012", "2.2-9-3")
    demo.press("3105011", "1.8-7-1", in_days=2, phone=REFUSED_PHONE)
    demo.press("3105012", "2.5-2-2", in_days=2, fault=SLOT_TAKEN)
    demo.ask(demo.press("3105027", "12", in_days=3), "move", "Лучше вечером, после пяти")
    demo.call_off(demo.press("3105027", "7", in_days=2, category="garage"))
    demo.move(demo.press("3105012", "2.1-4-3", in_days=1), days=3)
    demo.resolve(demo.press("3105034", "12", in_days=3, fault=NO_REPLY))
    demo.press("3105011", "1.8-9-4", in_days=4, fault=NO_REPLY)
    demo.press_in_an_outage("3104998", "33")


class Demo:
    def __init__(self) -> None:
        # The same houses and times as in the one that runs.
        self._crm = StandIn(
            domain=settings.MACROCRM_DOMAIN,
            secret=settings.MACROCRM_APP_SECRET,
            zone=settings.TIME_ZONE,
            **LIVELY,
        )
        self._buyers = 0
        operator = User.objects.create_user("operator", is_staff=True)
        operator.groups.add(Group.objects.get(name="operators"))
        self._staff = Client(SERVER_NAME="127.0.0.1")
        self._staff.force_login(operator)

    def press(
        self,
        house: str,
        flat: str,
        *,
        in_days: int,
        category: str = "flat",
        phone: str = "",
        fault: Fault | None = None,
    ) -> Booking:
        """A buyer's press of the last step's button, and what came of it."""
        if fault:
            self._fail(fault)
        self._buyers += 1
        starts = self._crm.free_starts(house, days_ahead=in_days)
        start = starts[self._buyers % len(starts)]
        self._crm.hand_to_a_rival(house, start)
        key = uuid.uuid4()
        form = {
            "category": category,
            "house": house,
            "flat": flat,
            "start": f"{start:%Y-%m-%dT%H:%M}",
            "phone": phone or shareholders(house, Flat(category, flat))[0],
            "consent": "on",
            "key": str(key),
        }
        _post(self._browser(), "/confirm/", form)
        return Booking.objects.get(key=key)

    def press_last_week(self, house: str, flat: str) -> None:
        """A visit that is over."""
        CLOCK.behind = timedelta(days=7)
        self.press(house, flat, in_days=-6, fault=YES)
        CLOCK.behind = timedelta(0)

    def press_in_an_outage(self, house: str, flat: str) -> None:
        """The CRM goes between the list of houses and the press."""
        self._crm.start()
        with override_settings(MACROCRM_URL=self._crm.url):
            self._browser().get("/?category=flat")
            self._crm.stop()
            self.press(house, flat, in_days=5)

    def ask(self, booking: Booking, kind: str, wish: str) -> None:
        _post(self._browser(), f"/bookings/{booking.key}/change/", {"kind": kind, "wish": wish})

    def call_off(self, booking: Booking) -> None:
        self.ask(booking, "cancel", "Уезжаю в командировку")
        self._answer(booking, becomes="called_off", answer="Отменили. Ждём вас в другой день.")

    def move(self, booking: Booking, *, days: int) -> None:
        self.ask(booking, "move", f"Можно на {days} дня позже?")
        start = self._crm.free_starts(booking.house_id, days_ahead=1 + days)[0]
        self._answer(booking, becomes="moved", day=f"{start:%Y-%m-%d}", time=f"{start:%H:%M}")

    def resolve(self, booking: Booking) -> None:
        url = reverse("admin:booking_booking_resolve", args=[booking.pk])
        _post(self._staff, url, {"was_booked": "yes", "note": "Карточка есть в CRM"})

    def _answer(self, booking: Booking, **form: str) -> None:
        asked = booking.change_requests.get()
        _post(self._staff, reverse("admin:booking_changerequest_answer", args=[asked.pk]), form)

    def _browser(self) -> Client:
        """A new buyer's, at an address of its own, so that no limit is met."""
        return Client(
            SERVER_NAME="127.0.0.1",
            REMOTE_ADDR=f"192.0.2.{self._buyers}",
            headers={"Sec-Fetch-Site": "same-origin"},
        )

    def _fail(self, fault: Fault) -> None:
        """Make the stand-in's next `add` go wrong."""
        crm = HTTPConnection(urlsplit(settings.MACROCRM_URL).netloc, timeout=10)
        headers = {"Content-Type": "application/json"}
        planned = {"method": "add", "times": 1, **fault}
        crm.request("POST", "/_stand-in/faults", json.dumps(planned), headers)
        crm.getresponse().read()
        crm.close()


def _post(browser: Client, path: str, form: dict[str, str]) -> None:
    """Whatever is taken ends in a redirect; raises RuntimeError for a form that is shown again."""
    response = browser.post(path, form)
    if response.status_code != 302:
        raise RuntimeError(f"{path}: {response.status_code}")


def _write_down(facts: dict[str, object]) -> None:
    house = House(**facts)
    house.full_clean()
    house.save()


if __name__ == "__main__":
    main()
