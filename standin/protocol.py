"""The three methods: parameters in, a reply or a refusal out. No HTTP and no bytes here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from standin import signature
from standin.fixtures import ACCEPTED_PHONE, CATEGORIES, Flat, House, shareholders
from standin.schedule import AddRequest, AlreadyBooked, SlotTaken, grid, is_open
from standin.state import State

Params = Mapping[str, str]

THANKS = "Спасибо! Мы записали Вас на указанное время"
FAILED = "Ошибка обработки запроса"  # seen in real replies; what it means is unknown

_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)T(?P<hour>\d{1,2}):(?P<rest>\d\d(:\d\d)?)([+-]\d\d:\d\d|Z)?"
)
_PHONE = re.compile(r"\+\d{10,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    data: object
    message: str = "Выполнено"


class Refusal(Exception):
    """Becomes an envelope with another `status_code`."""

    def __init__(self, code: int, message: str, data: object = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


def answer(state: State, method: str, params: Params, *, with_rival: bool = False) -> Reply:
    """Serve one call. Raises Refusal. With a rival, its slot is taken just before it."""
    if not all(params.get(name) for name in ("domain", "time", "token")):
        raise Refusal(400, FAILED)
    if not signature.is_valid(state, params):
        raise Refusal(401, "Неверный токен")
    if method == "add":
        return _add(state, params, with_rival=with_rival)
    return _ready_flats(state, params) if method == "getReadyFlats" else _free_times(state, params)


# getReadyFlats


def _ready_flats(state: State, params: Params) -> Reply:
    category = _category(params)
    categories = (category,) if category else CATEGORIES
    houses = [
        {"id": house.id, "title": house.title, "flats": numbers}
        for house in state.houses.values()
        if (numbers := _ready_numbers(state, house, categories))
    ]
    return Reply(data={"houses": houses})


def _ready_numbers(state: State, house: House, categories: tuple[str, ...]) -> list[str]:
    return [
        flat.number
        for category in categories
        for flat in house.flats
        if flat.category == category and flat.ready and not _has_gone(state, house, flat)
    ]


def _has_gone(state: State, house: House, flat: Flat) -> bool:
    return state.switches.booked_flats == "disappear" and state.schedule.has_visit(house, flat)


# getFreeTimes


def _free_times(state: State, params: Params) -> Reply:
    house = _house(state, params, "Дом не найден")
    day = _wall_time(params.get("transfer_date", "")).date()
    if day > state.last_day:
        raise Refusal(400, "Запись на выбранную дату недоступна", None)
    free = state.schedule.free(house, day, state.switches)
    starts = enumerate(grid(house, state.switches))
    return Reply(data=_php_array({n: f"{start:%H:%M}" for n, start in starts if start in free}))


def _php_array(values: dict[int, str]) -> object:
    """As PHP's json_encode: a list if the keys count from 0, else an object.

    The keys are positions in the day's grid, in which lunch and taken slots leave gaps.
    """
    if list(values) == list(range(len(values))):
        return list(values.values())
    return {str(position): value for position, value in values.items()}


# add


def _add(state: State, params: Params, *, with_rival: bool) -> Reply:
    request = _add_request(state, params)
    if with_rival:
        state.schedule.hand_to_a_rival(request.house.id, request.start)
    if state.switches.add_writes:
        try:
            state.schedule.book(request, state.switches)
        except AlreadyBooked as exc:
            raise Refusal(400, "Вы уже записаны") from exc
        except SlotTaken as exc:
            raise Refusal(409, "Выбранное время уже занято") from exc
    return Reply(data=[], message=THANKS)


def _add_request(state: State, params: Params) -> AddRequest:
    for name in ("transfer_date", "house_id", "flat_num", "phone"):
        if not params.get(name):
            raise Refusal(400, f"Не заполнено обязательное поле {name}")
    start, phone = _wall_time(params["transfer_date"]), params["phone"]
    if not _PHONE.fullmatch(phone):
        raise Refusal(400, "Неверный формат телефона")
    house = _house(state, params, "Объект не найден")
    flat = _bookable_flat(house, params)
    if not state.now < start or start.date() > state.last_day:
        raise Refusal(400, "Запись на выбранную дату недоступна", None)
    if not is_open(house, start, state.switches):
        raise Refusal(400, "В выбранное время записи нет")
    return AddRequest(house=house, flat=flat, start=start, phone=phone, received_at=state.clock)


def _bookable_flat(house: House, params: Params) -> Flat:
    flat = house.find(params["flat_num"], _category(params))
    if flat is None:
        raise Refusal(404, "Объект не найден")
    if not flat.ready:
        raise Refusal(400, "Объект не готов к передаче")
    if params["phone"] not in {ACCEPTED_PHONE, *shareholders(house.id, flat)}:
        raise Refusal(403, "Телефон не найден среди участников сделки")
    return flat


# Shared


def _category(params: Params) -> str | None:
    category = params.get("category") or None
    if category and category not in CATEGORIES:
        raise Refusal(400, "Неизвестная категория")
    return category


def _house(state: State, params: Params, otherwise: str) -> House:
    if house := state.houses.get(params.get("house_id", "")):
        return house
    raise Refusal(404, otherwise)


def _wall_time(text: str) -> datetime:
    """The house's wall time that a `transfer_date` means: its offset is ignored."""
    match = _MOMENT.fullmatch(text)
    try:
        if match:
            return datetime.fromisoformat(f"{match['day']}T{match['hour']:0>2}:{match['rest']}")
    except ValueError:
        pass
    raise Refusal(400, "Неверный формат даты")
