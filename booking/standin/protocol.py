"""The three methods: parameters in, a reply or a refusal out. No HTTP and no bytes here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import md5
from hmac import compare_digest
from zoneinfo import ZoneInfo

from booking.standin.diary import AlreadyBooked, Diary, SlotTaken, Wish, grid, is_open
from booking.standin.estate import CATEGORIES, Estate, Flat, House
from booking.standin.switches import Switches

Params = Mapping[str, str]

THANKS = "Спасибо! Мы записали Вас на указанное время"
FAILED = "Ошибка обработки запроса"

_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)T(?P<hour>\d{1,2}):(?P<rest>\d\d(:\d\d)?)(?P<offset>[+-]\d\d:\d\d|Z)?"
)
_PHONE = re.compile(r"\+\d{10,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The envelope's parts. `data` is whatever JSON can say."""

    code: int = 200
    data: object
    message: str = "Выполнено"


class Refusal(Exception):
    """What the server declines; becomes an envelope with another `status_code`."""

    def __init__(self, code: int, message: str, data: object = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What one request meets: the estate, the diary, and the switches of that moment."""

    estate: Estate
    diary: Diary
    domain: str
    secret: str
    zone: ZoneInfo
    switches: Switches
    clock: datetime  # aware: the server's clock

    @property
    def now(self) -> datetime:
        """Wall time of the houses."""
        frozen = self.switches.now
        moment = datetime.fromisoformat(frozen) if frozen else self.clock
        return moment.astimezone(self.zone).replace(tzinfo=None)

    @property
    def last_day(self) -> date:
        return self.now.date() + timedelta(days=self.switches.horizon_days)


def answer(desk: Desk, method: str, params: Params, *, with_rival: bool = False) -> Reply:
    """Serve one call. Raises Refusal. With a rival, somebody takes the slot just before us."""
    _check_signature(desk, params)
    if method == "add":
        return _add(desk, params, with_rival=with_rival)
    reads: dict[str, Callable[[Desk, Params], Reply]] = {
        "getReadyFlats": _ready_flats,
        "getFreeTimes": _free_times,
    }
    return reads[method](desk, params)


# The signature


def _check_signature(desk: Desk, params: Params) -> None:
    """md5 over the very bytes of `domain` and `time` that came. Raises Refusal."""
    if not all(params.get(name) for name in ("domain", "time", "token")):
        raise Refusal(400, FAILED)
    domain, moment, token = params["domain"], params["time"], params["token"]
    signed = (domain + moment + desk.secret).encode("utf-8", "surrogateescape")
    expected = md5(signed, usedforsecurity=False).hexdigest()  # the CRM's choice, not ours
    is_ours = compare_digest(expected, token.encode("ascii", "replace").decode())
    if not (is_ours and _is_registered(desk, domain) and _is_recent(desk, moment)):
        raise Refusal(401, "Неверный токен")


def _is_registered(desk: Desk, domain: str) -> bool:
    registered = desk.domain
    if desk.switches.registered_domain == "punycode":
        registered = registered.encode("idna").decode()
    if desk.switches.domain_case == "ignored":
        return domain.casefold() == registered.casefold()
    return domain == registered


def _is_recent(desk: Desk, text: str) -> bool:
    if not re.fullmatch(r"[0-9]{1,15}", text):
        return False
    moments = [int(text)]
    if desk.switches.milliseconds == "accepted":
        moments.append(int(text) // 1000)
    tolerance = desk.switches.clock_tolerance
    now = desk.clock.timestamp()
    return tolerance is None or any(abs(now - moment) <= tolerance for moment in moments)


# getReadyFlats


def _ready_flats(desk: Desk, params: Params) -> Reply:
    categories = (_category(params),) if params.get("category") else CATEGORIES
    houses = [
        {"id": _id(desk, house), "title": house.title, "flats": numbers}
        for house in desk.estate.houses.values()
        if (numbers := _ready_numbers(desk, house, categories))
    ]
    empty: dict[str, object] = {"houses": {"houses": []}, "list": [], "null": None}
    return Reply(data={"houses": houses} if houses else empty[desk.switches.no_houses])


def _ready_numbers(desk: Desk, house: House, categories: tuple[str, ...]) -> list[str]:
    return [
        flat.number
        for category in categories
        for flat in desk.estate.flats(house.id, category)
        if flat.ready and not _has_gone(desk, house, flat)
    ]


def _has_gone(desk: Desk, house: House, flat: Flat) -> bool:
    return desk.switches.booked_flats == "disappear" and desk.diary.has_booked(house.id, flat)


def _id(desk: Desk, house: House) -> str | int:
    return int(house.id) if desk.switches.ids == "ints" else house.id


def _category(params: Params) -> str:
    if params["category"] not in CATEGORIES:
        raise Refusal(400, "Неизвестная категория")
    return params["category"]


# getFreeTimes


@dataclass(frozen=True, slots=True)
class LiteralTimes:
    """Times to be written like the literal on the vendor's page, which is not JSON."""

    by_position: dict[int, str]


def _free_times(desk: Desk, params: Params) -> Reply:
    if not params.get("transfer_date"):
        raise Refusal(400, "Не указана transfer_date")
    day = _wall_time(desk, params["transfer_date"]).date()
    houses = _asked_houses(desk, params)
    if day > desk.last_day:
        raise Refusal(400, "Запись на выбранную дату недоступна", None)
    return Reply(data=_times_data(desk, _free_slots(desk, houses, day)))


# Whose schedule is meant when no house is named: the company's, open the usual hours.
_COMPANY = House(id="", title="", flats=())


def _asked_houses(desk: Desk, params: Params) -> list[House]:
    """The house asked for; all of them when a company with one schedule gets no `house_id`."""
    if params.get("house_id"):
        return [_house(desk, params["house_id"], "Дом не найден")]
    if desk.switches.house_id == "required":
        raise Refusal(400, "Не указан house_id")
    return list(desk.estate.houses.values())


def _free_slots(desk: Desk, houses: list[House], day: date) -> dict[int, str]:
    """Free starts by their position in the day's full grid, where lunch and others leave gaps."""
    schedule = houses[0] if len(houses) == 1 else _COMPANY
    free: set[time] = set()
    for house in houses:
        free.update(desk.diary.free(house, day, desk.switches))
    starts = enumerate(grid(schedule, desk.switches))
    return {position: f"{start:%H:%M}" for position, start in starts if start in free}


def _times_data(desk: Desk, slots: dict[int, str]) -> object:
    """PHP's json_encode of an array whose keys are positions in the day's grid."""
    if desk.switches.times_shape == "literal":
        return LiteralTimes(slots)
    if not slots:
        empty: dict[str, object] = {"list": [], "object": {}, "null": None}
        return empty[desk.switches.no_times]
    if desk.switches.times_shape == "list" or list(slots) == list(range(len(slots))):
        return list(slots.values())
    return {str(position): start for position, start in slots.items()}


# add


def _add(desk: Desk, params: Params, *, with_rival: bool) -> Reply:
    wish = _wish(desk, params)
    if with_rival:
        desk.diary.hand_to_a_rival(wish.house.id, wish.start)
    if desk.switches.add_writes:
        _book(desk, wish)
    return _ADD_REPLIES[desk.switches.add_reply]


_ADD_REPLIES = {
    "thanks": Reply(data=[], message=THANKS),
    "no message": Reply(data=[], message=""),
    "C94": Reply(code=400, data=[], message=FAILED),
    "C95": Reply(data=[], message=FAILED),
    "C96": Reply(code=500, data=None, message=FAILED),
    "C97": Reply(code=0, data=None, message=THANKS),
    "C98": Reply(code=400, data=[], message=THANKS),
}


def _wish(desk: Desk, params: Params) -> Wish:
    for name in ("transfer_date", "house_id", "flat_num", "phone"):
        if not params.get(name):
            raise Refusal(400, f"Не заполнено обязательное поле {name}")
    start = _wall_time(desk, params["transfer_date"])
    if not _PHONE.fullmatch(params["phone"]):
        raise Refusal(400, "Неверный формат телефона")
    house = _house(desk, params["house_id"], "Объект не найден")
    flat = _bookable_flat(desk, house, params)
    if not desk.now < start or start.date() > desk.last_day:
        raise Refusal(400, "Запись на выбранную дату недоступна", None)
    if not is_open(house, start, desk.switches):
        raise Refusal(400, "В выбранное время записи нет")
    return Wish(house=house, flat=flat, start=start, phone=params["phone"], received_at=desk.clock)


def _bookable_flat(desk: Desk, house: House, params: Params) -> Flat:
    category = _category(params) if params.get("category") else None
    flat = desk.estate.find(house.id, params["flat_num"], category)
    if flat is None:
        raise Refusal(404, "Объект не найден")
    if not flat.ready:
        raise Refusal(400, "Объект не готов к передаче")
    if not desk.estate.is_shareholder(house.id, flat, params["phone"]):
        raise Refusal(403, "Телефон не найден среди участников сделки")
    return flat


def _book(desk: Desk, wish: Wish) -> None:
    try:
        desk.diary.book(wish, desk.switches)
    except AlreadyBooked as exc:
        raise Refusal(400, "Вы уже записаны") from exc
    except SlotTaken as exc:
        raise Refusal(409, "Выбранное время уже занято") from exc


# Shared


def _house(desk: Desk, house_id: str, otherwise: str) -> House:
    if house := desk.estate.houses.get(house_id):
        return house
    raise Refusal(404, otherwise)


def _wall_time(desk: Desk, text: str) -> datetime:
    """The house's wall time that a `transfer_date` means. Raises Refusal."""
    match = _MOMENT.fullmatch(text)
    if not match or (len(match["hour"]) == 1 and desk.switches.unpadded_hours == "refused"):
        raise Refusal(400, "Неверный формат даты")
    try:
        moment = datetime.fromisoformat(
            f"{match['day']}T{match['hour']:0>2}:{match['rest']}{match['offset'] or ''}"
        )
    except ValueError as exc:
        raise Refusal(400, "Неверный формат даты") from exc
    if desk.switches.offset == "converted" and moment.tzinfo:
        moment = moment.astimezone(desk.zone)
    return moment.replace(tzinfo=None)
