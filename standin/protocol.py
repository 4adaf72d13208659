"""The three methods: parameters in, a reply or a refusal out. No HTTP and no bytes here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time

from standin.context import FAILED, Desk, Params, Refusal, Reply
from standin.fixtures import CATEGORIES, Flat, House
from standin.schedule import AlreadyBooked, SlotTaken, Wish, grid, is_open
from standin.signature import check_signature

THANKS = "Спасибо! Мы записали Вас на указанное время"

_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)T(?P<hour>\d{1,2}):(?P<rest>\d\d(:\d\d)?)(?P<offset>[+-]\d\d:\d\d|Z)?"
)
_PHONE = re.compile(r"\+\d{10,15}")


def answer(desk: Desk, method: str, params: Params, *, with_rival: bool = False) -> Reply:
    """Serve one call. Raises Refusal. With a rival, somebody takes the slot just before us."""
    check_signature(desk, params)
    if method == "add":
        return _add(desk, params, with_rival=with_rival)
    reads: dict[str, Callable[[Desk, Params], Reply]] = {
        "getReadyFlats": _ready_flats,
        "getFreeTimes": _free_times,
    }
    return reads[method](desk, params)


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
        if desk.switches.offset == "converted" and moment.tzinfo:
            moment = moment.astimezone(desk.zone)
    except (ValueError, OverflowError) as exc:
        raise Refusal(400, "Неверный формат даты") from exc
    return moment.replace(tzinfo=None)
