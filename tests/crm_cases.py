"""What the CRM may answer, case by case: the bytes on the wire and what the client must conclude.

No real reply of these methods is public; only the two texts THANKS and FAILED come from real ones.
Where a case could well be judged otherwise, `why` tells the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from booking.crm import (
    AddOutcome,
    AddRequest,
    CRMError,
    CRMMisconfigured,
    CRMRefused,
    CRMUnavailable,
    CRMUnreadable,
    Reason,
)
from tests.wire import Answer, Behaviour, Bytes, Hang, Reset

JSON = (("Content-Type", "application/json; charset=utf-8"),)
HTML = (("Content-Type", "text/html; charset=UTF-8"),)

THANKS = "Спасибо! Мы записали Вас на указанное время"
FAILED = "Ошибка обработки запроса"

ZONE = ZoneInfo("Asia/Yekaterinburg")
DAY = date(2020, 6, 11)
VISIT = AddRequest(
    house_id="123",
    flat="1.8-12-1",
    category="flat",
    starts_at=datetime(2020, 6, 11, 9, 30, tzinfo=ZONE),
    phone="+79001234567",
)
VISIT_WITHOUT_CATEGORY = AddRequest(
    house_id="123", flat="1", category="", starts_at=VISIT.starts_at, phone=VISIT.phone
)


@dataclass(frozen=True, slots=True)
class Houses:
    """The read succeeds with these houses: id, title, numbers."""

    houses: tuple[tuple[str, str, tuple[str, ...]], ...]
    is_odd: bool = False


@dataclass(frozen=True, slots=True)
class Times:
    """The read succeeds with these times."""

    times: tuple[str, ...]
    is_odd: bool = False


@dataclass(frozen=True, slots=True)
class Fails:
    """The read raises exactly this class. `tells` stands in what staff can read of it."""

    error: type[CRMError]
    tells: str = ""
    retry_after: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Ends:
    """The booking ends so. `tells` stands in the message or the remarks."""

    outcome: AddOutcome
    reason: Reason = Reason.NONE
    tells: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCase:
    """`served` in turn; `requests` are then to have been made, the retry included."""

    number: str
    served: tuple[Behaviour, ...]
    expected: Houses | Times | Fails
    requests: tuple[int, ...] = (1,)
    # What the first request must hold, byte for byte.
    sends: tuple[bytes, ...] = ()
    patience: float = 5.0
    url: str = ""
    category: str = "flat"
    house_id: str = "123"
    method: str = "POST"
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCase:
    """One press of the button. Without `served` the CRM is not there at all."""

    number: str
    served: Behaviour | None
    expected: Ends
    sends: tuple[bytes, ...] = ()
    patience: float = 5.0
    url: str = ""
    visit: AddRequest = VISIT
    why: str = ""

    def requests(self) -> int:
        return 0 if self.served is None else 1


def ok(body: str | bytes, headers: tuple[tuple[str, str], ...] = JSON) -> Answer:
    return said(200, body, headers)


def said(status: int, body: str | bytes, headers: tuple[tuple[str, str], ...] = JSON) -> Answer:
    return Answer(status, headers, body.encode() if isinstance(body, str) else body)


CONFIRMED = Ends(AddOutcome.CONFIRMED)


def refused(reason: Reason, tells: str = "") -> Ends:
    return Ends(AddOutcome.REFUSED, reason, tells)


def in_doubt(reason: Reason, tells: str = "") -> Ends:
    return Ends(AddOutcome.IN_DOUBT, reason, tells)


C01 = (
    '{"status_code":200,"data":{"houses":['
    '{"id":"123","title":"3 очередь бизнес-класс","flats":["1.8-12-1","1.8-13-2"]},'
    '{"id":"124","title":"Бизнес-класс 2 очередь","flats":["К-1.4-7-1"]}]},"message":"Выполнено"}'
)
TWO_HOUSES = (
    ("123", "3 очередь бизнес-класс", ("1.8-12-1", "1.8-13-2")),
    ("124", "Бизнес-класс 2 очередь", ("К-1.4-7-1",)),
)
EMPTY = '{"status_code":200,"data":{"houses":[]},"message":"Выполнено"}'


def houses(items: str) -> Answer:
    return ok(f'{{"status_code":200,"data":{{"houses":{items}}},"message":"Выполнено"}}')


NGINX_404 = (
    "<html><head><title>404 Not Found</title></head><body><center><h1>404 Not Found</h1></center>"
    "<hr><center>nginx</center></body></html>"
)
NGINX_502 = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
NOTICE = (
    "<br />\n<b>Notice</b>:  Undefined index: category in <b>/srv/x.php</b> on line <b>1</b>"
    "<br />\n"
)
CAPTCHA = "<html><title>Just a moment...</title><body>checking your browser</body></html>"
NO_SUCH_HOST = "http://no-such-host.invalid"
CLOSED = "closed port"
UNTRUSTED = "untrusted certificate"

READY_FLATS_CASES = (
    ReadCase(number="C01", served=(ok(C01),), expected=Houses(TWO_HOUSES)),
    ReadCase(
        number="C02",
        served=(ok(C01),),
        expected=Houses(TWO_HOUSES),
        method="GET",
        sends=(b"GET /estate/transfer/getReadyFlats/?time=",),
    ),
    ReadCase(
        number="C03",
        served=(houses('[{"id":123,"title":"Дом 1","flats":[12,"13а"]}]'),),
        expected=Houses((("123", "Дом 1", ("12", "13а")),)),
    ),
    ReadCase(
        number="C04",
        served=(ok('{"status_code":"200","data":{"houses":[]},"message":"Выполнено"}'),),
        expected=Houses(()),
    ),
    ReadCase(
        number="C05",
        served=(ok('{"status_code":200,"data":[],"message":"Выполнено"}'),),
        expected=Houses(()),
    ),
    ReadCase(
        number="C06",
        served=(ok('{"status_code":200,"data":null,"message":"Выполнено"}'),),
        expected=Houses(()),
    ),
    ReadCase(
        number="C07",
        served=(
            houses(
                '{"0":{"id":"123","title":"Дом 1","flats":["1"]},'
                '"3":{"id":"127","title":"Дом 5","flats":["2"]}}'
            ),
        ),
        expected=Houses((("123", "Дом 1", ("1",)), ("127", "Дом 5", ("2",)))),
    ),
    ReadCase(
        number="C08",
        served=(houses('[{"id":"123","title":"Дом 1","flats":{"1":"1.8-12-1","4":"1.8-13-2"}}]'),),
        expected=Houses((("123", "Дом 1", ("1.8-12-1", "1.8-13-2")),)),
    ),
    ReadCase(
        number="C09",
        served=(houses('{"123":{"title":"Дом 1","flats":["1"]}}'),),
        expected=Fails(CRMUnreadable),
        why="The house is left out and its key is not taken for an id, but a reply of which nothing"
        " is left is an error, as for times (C73): nobody may read it as 'nothing is ready'.",
    ),
    ReadCase(
        number="C10",
        served=(
            houses(
                '[{"id":"123","title":"Дом 1","flats":[]},'
                '{"id":"124","title":"Дом 2","flats":null}]'
            ),
        ),
        expected=Houses((("123", "Дом 1", ()), ("124", "Дом 2", ()))),
    ),
    ReadCase(
        number="C11",
        served=(houses('[{"id":"123","title":null,"flats":["1"]}]'),),
        expected=Houses((("123", "Дом 123", ("1",)),)),
    ),
    ReadCase(
        number="C12",
        served=(
            houses('[{"id":"123","title":"ЖК&nbsp;&laquo;Луч&raquo; <b>1</b>","flats":["1"]}]'),
        ),
        expected=Houses((("123", "ЖК\N{NO-BREAK SPACE}«Луч» 1", ("1",)),)),
    ),
    ReadCase(
        number="C13",
        served=(
            ok(
                r'{"status_code":200,"data":{"houses":[{"id":"123",'
                r'"title":"\u0414\u043e\u043c 1\/2","flats":["\u041a-1.4-7-1"]}]},'
                r'"message":"\u0412\u044b\u043f\u043e\u043b\u043d\u0435\u043d\u043e"}'
            ),
        ),
        expected=Houses((("123", "Дом 1/2", ("К-1.4-7-1",)),)),
    ),
    ReadCase(
        number="C14",
        served=(
            houses(
                '[{"id":"123","title":"Дом 1","flats":["1","1"]},'
                '{"id":"123","title":"Дом 1","flats":["2"]}]'
            ),
        ),
        expected=Houses((("123", "Дом 1", ("1", "2")),), is_odd=True),
    ),
    ReadCase(
        number="C15",
        served=(houses('[{"id":"123","title":"Дом 1","flats":["К-1","K-1"]}]'),),
        expected=Houses((("123", "Дом 1", ("К-1", "K-1")),)),
    ),
    ReadCase(
        number="C16", served=(ok(b"\xef\xbb\xbf" + C01.encode()),), expected=Houses(TWO_HOUSES)
    ),
    ReadCase(number="C17", served=(ok(C01, HTML),), expected=Houses(TWO_HOUSES)),
    ReadCase(number="C18", served=(ok(NOTICE + EMPTY, HTML),), expected=Houses((), is_odd=True)),
    ReadCase(
        number="C19",
        served=(ok('[{"id":"123","title":"Дом 1","flats":["1"]}]'),),
        expected=Fails(CRMUnreadable),
    ),
    ReadCase(
        number="C20",
        served=(ok('{"status_code":200,"message":"Выполнено"}'),),
        expected=Fails(CRMUnreadable),
    ),
    ReadCase(
        number="C21",
        served=(ok('{"data":{"houses":[{"id":"123","title":"Дом 1","flats":["1"]}]}}'),),
        expected=Houses((("123", "Дом 1", ("1",)),), is_odd=True),
    ),
    ReadCase(
        number="C22",
        served=(ok('{"status_code":403,"data":[],"message":"Доступ запрещен"}'),),
        expected=Fails(CRMMisconfigured, "MACROCRM_APP_SECRET"),
    ),
    ReadCase(
        number="C23",
        served=(ok('{"error":true,"message":"Request not authenticated"}'),),
        expected=Fails(CRMMisconfigured, "MACROCRM_APP_SECRET"),
    ),
    ReadCase(
        number="C24",
        served=(ok(f'{{"success":false,"message":"{FAILED}"}}'),),
        expected=Fails(CRMMisconfigured, "without a cause"),
    ),
    ReadCase(
        number="C25",
        served=(ok('{"message":"Access denied to action \'getReadyFlats\'"}'),),
        expected=Fails(CRMMisconfigured, "Access denied"),
    ),
    ReadCase(
        number="C26",
        served=(said(401, '{"status_code":401,"data":null,"message":"Неверный токен"}'),),
        expected=Fails(CRMMisconfigured, "xn--80aae4a1bi2b.xn--p1ai"),
    ),
    ReadCase(
        number="C27",
        served=(
            Answer(
                401,
                JSON,
                '{"status_code":401,"data":null,"message":"Неверный токен"}'.encode(),
                clock_error=-600,
            ),
        ),
        expected=Fails(CRMMisconfigured, "clock is 6"),
    ),
    ReadCase(
        number="C28",
        category="house",
        served=(ok('{"status_code":400,"data":[],"message":"Неизвестная категория"}'),),
        expected=Fails(CRMRefused, "Неизвестная категория"),
    ),
    ReadCase(
        number="C29",
        served=(
            said(
                404,
                '{"name":"Not Found","message":"Страница не найдена.","code":0,"status":404}',
            ),
        ),
        requests=(2,),
        expected=Fails(CRMMisconfigured, "MACROCRM_URL"),
    ),
    ReadCase(
        number="C30",
        served=(said(404, NGINX_404, HTML),),
        requests=(2,),
        expected=Fails(CRMMisconfigured, "MACROCRM_URL"),
    ),
    ReadCase(
        number="C31",
        served=(
            said(
                301,
                "",
                (("Location", "https://api.macroserver.ru/estate/transfer/getReadyFlats/"),),
            ),
        ),
        expected=Fails(CRMMisconfigured, "https://api.macroserver.ru/estate"),
    ),
    ReadCase(
        number="C32",
        served=(said(308, "", (("Location", "/estate/transfer/getReadyFlats"),)),),
        expected=Fails(CRMMisconfigured, "redirect"),
    ),
    ReadCase(
        number="C33",
        served=(said(429, '{"message":"Too many requests"}', (*JSON, ("Retry-After", "30"))),),
        expected=Fails(CRMUnavailable, "429", retry_after=(30, 30)),
        why="A page cannot wait 30 s; the pause is passed on to whoever shows it.",
    ),
    ReadCase(
        number="C33b",
        served=(
            said(429, '{"message":"Too many requests"}', (*JSON, ("Retry-After", "0"))),
            ok(C01),
        ),
        requests=(2,),
        expected=Houses(TWO_HOUSES),
    ),
    ReadCase(
        number="C34",
        served=(said(429, "", (("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT"),)),),
        # Two when that moment has passed.
        requests=(1, 2),
        expected=Fails(CRMUnavailable, "429", retry_after=(0, 3600)),
    ),
    ReadCase(
        number="C35",
        served=(said(500, "", HTML),),
        requests=(2,),
        expected=Fails(CRMUnavailable, "500"),
    ),
    ReadCase(
        number="C36",
        served=(said(502, NGINX_502, HTML),),
        requests=(2,),
        expected=Fails(CRMUnavailable, "502"),
    ),
    ReadCase(
        number="C36b",
        served=(said(502, NGINX_502, HTML), ok(C01)),
        requests=(2,),
        expected=Houses(TWO_HOUSES),
    ),
    ReadCase(
        number="C37",
        served=(
            said(
                503,
                '{"status_code":503,"message":"Технические работы"}',
                (*JSON, ("Retry-After", "120")),
            ),
        ),
        expected=Fails(CRMUnavailable, "Технические работы", retry_after=(120, 120)),
    ),
    ReadCase(
        number="C38",
        served=(ok(""), ok(C01)),
        requests=(2,),
        expected=Houses(TWO_HOUSES),
    ),
    ReadCase(
        number="C38b", served=(ok(""),), requests=(2,), expected=Fails(CRMUnreadable, "no body")
    ),
    ReadCase(
        number="C39",
        served=(said(204, "", ()),),
        requests=(2,),
        expected=Fails(CRMUnreadable, "no body"),
    ),
    ReadCase(
        number="C40",
        served=(
            Answer(200, JSON, b'{"status_code":200,"data":{"houses":[{"id":"123","ti', length=200),
        ),
        requests=(2,),
        expected=Fails(CRMUnavailable, "broke off"),
    ),
    ReadCase(
        number="C41",
        served=(ok(C01, (*JSON, ("Content-Encoding", "gzip"))),),
        requests=(2,),
        expected=Fails(CRMUnreadable, "compression"),
    ),
    ReadCase(
        number="C42",
        served=(
            ok(C01.encode("windows-1251"), (("Content-Type", "text/html; charset=windows-1251"),)),
        ),
        expected=Houses(TWO_HOUSES, is_odd=True),
    ),
    ReadCase(
        number="C42b",
        served=(ok(C01.encode("windows-1251"), (("Content-Type", "text/html"),)),),
        expected=Fails(CRMUnreadable, "UTF-8"),
    ),
    ReadCase(number="C43", served=(houses('"нет"'),), expected=Fails(CRMUnreadable)),
    ReadCase(number="C44", served=(ok("null"),), expected=Fails(CRMUnreadable)),
    ReadCase(number="C44b", served=(ok("false"),), expected=Fails(CRMUnreadable)),
    ReadCase(number="C44c", served=(ok('""'),), expected=Fails(CRMUnreadable)),
    ReadCase(number="C44d", served=(ok("200"),), expected=Fails(CRMUnreadable)),
    ReadCase(
        number="C45",
        served=(
            ok(b'{"status_code":200,"data":[],"message":"' + b"x" * (9 * 1024 * 1024) + b'"}'),
        ),
        expected=Fails(CRMUnreadable, "too long"),
    ),
    ReadCase(
        number="C46",
        served=(
            houses(
                '[{"id":true,"title":"x","flats":["1"]},'
                '{"id":"124","title":"Дом 2","flats":[null,{"num":"7"},"8"]}]'
            ),
        ),
        expected=Houses((("124", "Дом 2", ("8",)),), is_odd=True),
    ),
    ReadCase(
        number="C47",
        served=(),
        url=NO_SUCH_HOST,
        requests=(0,),
        expected=Fails(CRMUnavailable, "no-such-host.invalid"),
    ),
    ReadCase(
        number="C48",
        served=(ok(C01),),
        url=UNTRUSTED,
        requests=(0,),
        expected=Fails(CRMMisconfigured, "certificate"),
    ),
    ReadCase(
        number="C49",
        served=(Hang(),),
        patience=0.4,
        expected=Fails(CRMUnavailable, "no complete reply within 0.4 s"),
        why="The deadline is of the whole call, so a silent CRM leaves no time for a second try.",
    ),
    ReadCase(number="C50", served=(ok(CAPTCHA, HTML),), expected=Fails(CRMUnreadable)),
    ReadCase(
        number="C51",
        served=(
            ok(
                '{"status_code":200,"error":"","success":true,"data":{"houses":[]},'
                '"message":"Выполнено"}'
            ),
        ),
        expected=Houses(()),
    ),
    ReadCase(
        number="C52",
        served=(said(500, EMPTY),),
        requests=(2,),
        expected=Fails(CRMUnavailable, "500"),
    ),
)


def times(data: str) -> Answer:
    return ok(f'{{"status_code":200,"data":{data},"message":"Выполнено"}}')


FOUR_TIMES = ("08:30", "09:00", "13:00", "13:30")

FREE_TIMES_CASES = (
    ReadCase(
        number="C60",
        served=(times('["08:30","09:00","13:00","13:30"]'),),
        expected=Times(FOUR_TIMES),
    ),
    ReadCase(
        number="C61",
        served=(times('{"7":"08:30","8":"09:00","16":"13:00","17":"13:30"}'),),
        expected=Times(FOUR_TIMES),
    ),
    ReadCase(
        number="C62",
        served=(times('{"08:30","09:00","13:00","17":"13:30",}'),),
        expected=Times(FOUR_TIMES, is_odd=True),
    ),
    ReadCase(
        number="C62b",
        served=(
            ok(
                '{\n  "status_code": 200,\n  "data": {\n    "08:30",\n    "09:00",\n    "13:00",\n'
                '    "17": "13:30",\n  },\n  "message": "Выполнено"\n}\n'
            ),
        ),
        expected=Times(FOUR_TIMES, is_odd=True),
    ),
    ReadCase(
        number="C63",
        served=(times('["08:30","09:00",]'),),
        expected=Times(("08:30", "09:00"), is_odd=True),
    ),
    ReadCase(number="C64", served=(times("[]"),), expected=Times(())),
    ReadCase(number="C65", served=(times("{}"),), expected=Times(())),
    ReadCase(number="C66", served=(times("null"),), expected=Times(())),
    ReadCase(number="C67", served=(times("false"),), expected=Times((), is_odd=True)),
    ReadCase(
        number="C68",
        served=(ok('{"status_code":200,"message":"Нет свободного времени"}'),),
        expected=Fails(CRMUnreadable, "Нет свободного времени"),
    ),
    ReadCase(
        number="C69",
        served=(times('{"17":"13:30","7":"08:30","8":"09:00"}'),),
        expected=Times(("08:30", "09:00", "13:30")),
    ),
    ReadCase(
        number="C70",
        served=(times('["9:00","09:00:00","10:30"]'),),
        expected=Times(("09:00", "10:30")),
    ),
    ReadCase(
        number="C71",
        served=(times('["09:00-09:30","09:30-10:00"]'),),
        expected=Times(("09:00", "09:30"), is_odd=True),
        why="The ends are not kept: nothing shows an end, and no length of a visit is documented.",
    ),
    ReadCase(
        number="C72",
        served=(times('["25:00","утро","10:00",1030]'),),
        expected=Times(("10:00",), is_odd=True),
    ),
    ReadCase(number="C73", served=(times('["утро","день"]'),), expected=Fails(CRMUnreadable)),
    ReadCase(
        number="C74",
        served=(times('{"times":["10:00","10:30"]}'),),
        expected=Times(("10:00", "10:30"), is_odd=True),
    ),
    ReadCase(
        number="C75",
        served=(times('[{"time":"10:00"},{"time":"10:30"}]'),),
        expected=Times(("10:00", "10:30"), is_odd=True),
    ),
    ReadCase(
        number="C76",
        served=(times('{"10:00":true,"10:30":false}'),),
        expected=Fails(CRMUnreadable),
    ),
    ReadCase(
        number="C77",
        served=(times('["2020-06-11T10:00:00+05:00"]'),),
        expected=Times(("10:00",), is_odd=True),
    ),
    ReadCase(
        number="C77b",
        served=(times('["2020-06-11T10:00:00+03:00","2020-06-12T10:30:00+05:00"]'),),
        expected=Fails(CRMUnreadable),
    ),
    ReadCase(
        number="C78",
        house_id="",
        served=(ok('{"status_code":400,"data":[],"message":"Не указан house_id"}'),),
        expected=Fails(CRMRefused, "house_id"),
    ),
    ReadCase(
        number="C79",
        house_id="999",
        served=(ok('{"status_code":404,"data":[],"message":"Дом не найден"}'),),
        expected=Fails(CRMRefused, "Дом не найден"),
    ),
    ReadCase(
        number="C80",
        served=(times('["08:30"]'),),
        expected=Times(("08:30",)),
        why="The client has no calendar: which days are asked, and dropping the starts that have"
        " passed, is the site's part.",
    ),
    ReadCase(
        number="C81",
        served=(
            ok('{"status_code":400,"data":null,"message":"Запись на выбранную дату недоступна"}'),
        ),
        expected=Fails(CRMRefused, "Запись на выбранную дату недоступна"),
    ),
    ReadCase(
        number="C82",
        method="GET",
        served=(ok(f'{{"status_code":400,"data":[],"message":"{FAILED}"}}'),),
        sends=(b"GET /estate/transfer/getFreeTimes/?time=", b"&house_id=123 HTTP/1.1\r\n"),
        expected=Fails(CRMMisconfigured, "without a cause"),
        why="Never sent with a body. The text names no cause, so it is not taken for a refusal of"
        " the day: the signature may be what is wrong.",
    ),
    ReadCase(
        number="C83",
        served=(said(405, "", (("Allow", "GET"),)), times('["08:30"]')),
        requests=(2,),
        expected=Times(("08:30",)),
    ),
    ReadCase(
        number="C84",
        served=(ok('{"status_code":400,"data":[],"message":"Неверный формат даты"}'),),
        sends=(b"&transfer_date=2020-06-11T00%3A00%3A00%2B05%3A00&",),
        expected=Fails(CRMRefused, "Неверный формат даты"),
    ),
    ReadCase(
        number="C85",
        served=(times('{"0":"08:00","0":"08:30"}'),),
        expected=Times(("08:30",), is_odd=True),
    ),
    ReadCase(
        number="C86",
        served=(ok(f'{{"status_code":500,"data":[],"message":"{FAILED}"}}'),),
        requests=(2,),
        expected=Fails(CRMUnavailable, "500"),
    ),
    ReadCase(
        number="C87",
        served=(times('["02:30"]'),),
        expected=Times(("02:30",)),
        why="A wall time is all there is here; whether it exists that night in the house's zone is"
        " asked where it becomes a moment.",
    ),
)

C90 = f'{{"status_code":200,"data":[],"message":"{THANKS}"}}'

ADD_CASES = (
    AddCase(number="C90", served=ok(C90), expected=CONFIRMED),
    AddCase(
        number="C91",
        served=ok(f'{{"status_code":200,"message":"{THANKS}"}}'),
        expected=CONFIRMED,
    ),
    AddCase(
        number="C92",
        served=ok('{"status_code":200,"data":{"id":"555"},"message":"Выполнено"}'),
        expected=Ends(AddOutcome.CONFIRMED, reference="555"),
    ),
    AddCase(
        number="C93",
        served=ok('{"status_code":200,"data":true,"message":""}'),
        expected=CONFIRMED,
    ),
    AddCase(
        number="C94",
        served=ok(f'{{"status_code":400,"data":[],"message":"{FAILED}"}}'),
        expected=in_doubt(Reason.CONTRADICTION, FAILED),
    ),
    AddCase(
        number="C95",
        served=ok(f'{{"status_code":200,"data":[],"message":"{FAILED}"}}'),
        expected=in_doubt(Reason.CONTRADICTION, FAILED),
    ),
    AddCase(
        number="C96",
        served=ok(f'{{"status_code":500,"data":null,"message":"{FAILED}"}}'),
        expected=in_doubt(Reason.SERVER_ERROR, FAILED),
    ),
    AddCase(
        number="C97",
        served=ok(f'{{"message":"{THANKS}"}}'),
        expected=in_doubt(Reason.UNCONFIRMED, THANKS),
    ),
    AddCase(
        number="C98",
        served=ok(f'{{"status_code":400,"data":[],"message":"{THANKS}"}}'),
        expected=in_doubt(Reason.CONTRADICTION, THANKS),
    ),
    AddCase(
        number="C99",
        served=ok('{"status_code":409,"data":[],"message":"Выбранное время уже занято"}'),
        expected=refused(Reason.SLOT_TAKEN),
    ),
    AddCase(
        number="C100",
        served=ok(
            '{"status_code":403,"data":[],"message":"Телефон не найден среди участников сделки"}'
        ),
        expected=refused(Reason.NO_MATCH, "Телефон не найден"),
    ),
    AddCase(
        number="C101",
        served=ok('{"status_code":404,"data":[],"message":"Объект не найден"}'),
        expected=refused(Reason.NO_MATCH, "Объект не найден"),
    ),
    AddCase(
        number="C102",
        served=ok('{"status_code":400,"data":[],"message":"Объект не готов к передаче"}'),
        expected=refused(Reason.DECLINED, "Объект не готов к передаче"),
    ),
    AddCase(
        number="C103",
        served=ok('{"status_code":400,"data":[],"message":"Вы уже записаны"}'),
        expected=refused(Reason.DECLINED, "Вы уже записаны"),
    ),
    AddCase(
        number="C104",
        visit=VISIT_WITHOUT_CATEGORY,
        served=ok(C90),
        expected=CONFIRMED,
        why="The site always knows the category and sends it, so there is nothing to warn of.",
    ),
    AddCase(
        number="C105",
        served=ok('{"status_code":404,"data":[],"message":"Объект не найден"}'),
        sends=(b"&category=flat&",),
        expected=refused(Reason.NO_MATCH),
    ),
    AddCase(
        number="C106",
        served=ok('{"error":true,"message":"Request not authenticated"}'),
        expected=refused(Reason.MISCONFIGURED, "MACROCRM_APP_SECRET"),
    ),
    AddCase(
        number="C107",
        served=ok('{"success":true}'),
        expected=in_doubt(Reason.UNCONFIRMED),
    ),
    AddCase(
        number="C108",
        served=ok('{"success":false,"message":"…"}'),
        expected=refused(Reason.DECLINED, "…"),
    ),
    AddCase(number="C109", served=ok(""), expected=in_doubt(Reason.UNREADABLE)),
    AddCase(
        number="C110",
        served=ok(f"<br />\n<b>Warning</b>: …<br />\n{C90}", HTML),
        expected=in_doubt(Reason.UNREADABLE),
    ),
    AddCase(number="C111", served=said(500, "", HTML), expected=in_doubt(Reason.SERVER_ERROR)),
    AddCase(
        number="C112", served=said(502, NGINX_502, HTML), expected=in_doubt(Reason.SERVER_ERROR)
    ),
    AddCase(
        number="C112b",
        served=said(504, NGINX_502.replace("502 Bad Gateway", "504 Gateway Time-out"), HTML),
        expected=in_doubt(Reason.SERVER_ERROR),
    ),
    AddCase(
        number="C113",
        served=said(503, "", (("Retry-After", "60"),)),
        expected=in_doubt(Reason.SERVER_ERROR),
    ),
    AddCase(
        number="C114",
        served=said(429, '{"message":"Too many requests"}', (*JSON, ("Retry-After", "5"))),
        expected=refused(Reason.BUSY),
    ),
    AddCase(
        number="C115",
        served=None,
        url=CLOSED,
        expected=Ends(AddOutcome.NOT_SENT, Reason.UNREACHABLE, "refuses connections"),
    ),
    AddCase(
        number="C115b",
        served=None,
        url=NO_SUCH_HOST,
        expected=Ends(AddOutcome.NOT_SENT, Reason.UNREACHABLE, "no address"),
    ),
    AddCase(
        number="C115c",
        served=None,
        url=UNTRUSTED,
        expected=Ends(AddOutcome.NOT_SENT, Reason.UNREACHABLE, "certificate"),
    ),
    AddCase(number="C116", served=Reset(), expected=in_doubt(Reason.NO_ANSWER)),
    AddCase(number="C117", served=Hang(), patience=0.4, expected=in_doubt(Reason.NO_ANSWER)),
    AddCase(
        number="C118",
        served=said(302, "", (("Location", "/estate/transfer/add"),)),
        expected=in_doubt(Reason.REDIRECTED, "/estate/transfer/add"),
    ),
    AddCase(
        number="C119",
        served=ok('{"status_code":200,"data":[],"mess'),
        expected=in_doubt(Reason.UNREADABLE),
    ),
    AddCase(
        number="C119b",
        served=Answer(200, JSON, b'{"status_code":200,"data":[],"mess', length=100),
        expected=in_doubt(Reason.NO_ANSWER),
    ),
    AddCase(
        number="C119c",
        served=Bytes(b"HTTP/1.1 200 OK\r\nContent-Type: appli"),
        expected=in_doubt(Reason.UNREADABLE),
    ),
    AddCase(
        number="C120",
        served=ok('{"status_code":400,"data":[],"message":"Вы уже записаны"}'),
        expected=refused(Reason.DECLINED),
        why="What the second press would hear if it left. That it never leaves is the journal's"
        " work, not the client's.",
    ),
    AddCase(
        number="C121",
        served=ok('{"status_code":400,"data":[],"message":"Неверный формат телефона"}'),
        sends=(b"&phone=%2B79001234567", b"%2B05%3A00"),
        expected=refused(Reason.DECLINED),
    ),
    AddCase(
        number="C122",
        served=ok('{"status_code":400,"data":[],"message":"Неверный формат даты"}'),
        sends=(b"&transfer_date=2020-06-11T09%3A30%3A00%2B05%3A00&",),
        expected=refused(Reason.DECLINED),
    ),
    AddCase(
        number="C123",
        served=said(405, "", (("Allow", "POST"),)),
        sends=(b"POST /estate/transfer/add/ HTTP/1.1\r\n",),
        expected=refused(Reason.MISCONFIGURED),
    ),
    AddCase(number="C124", served=said(201, C90), expected=CONFIRMED),
    AddCase(
        number="C125",
        served=said(202, '{"status_code":202,"data":[],"message":"Заявка принята"}'),
        expected=in_doubt(Reason.UNCONFIRMED),
    ),
    AddCase(
        number="C126",
        served=said(
            400,
            '{"status_code":400,"message":"Не заполнены обязательные поля",'
            '"errors":{"phone":["…"]}}',
        ),
        expected=refused(Reason.DECLINED, "phone"),
    ),
    AddCase(
        number="C127",
        served=ok('{"status_code":200.0,"data":[],"message":"…"}'),
        expected=CONFIRMED,
    ),
    AddCase(
        number="C127b",
        served=ok('{"status_code":"200 OK","data":[],"message":"…"}'),
        expected=in_doubt(Reason.UNCONFIRMED),
    ),
    AddCase(
        number="C127c",
        served=ok('{"status_code":true,"data":[],"message":"…"}'),
        expected=in_doubt(Reason.UNCONFIRMED),
    ),
    AddCase(
        number="C128",
        served=ok('{"status_code":200,"data":[],"message":"' + "я" * 50_000 + '"}'),
        expected=Ends(AddOutcome.CONFIRMED, tells="я" * 299 + "…"),
    ),
    AddCase(
        number="C128b",
        served=ok('{"status_code":400,"data":[],"message":"<script>alert(1)</script>Нет"}'),
        expected=refused(Reason.DECLINED, "alert(1)Нет"),
    ),
    # Beyond the numbered cases: where a wrong yes or a wrong no could hide.
    AddCase(
        number="D01",
        served=said(400, '{"status_code":200,"data":[],"message":"Выполнено"}'),
        expected=in_doubt(Reason.CONTRADICTION),
        why="The worse of two codes wins; of a yes and a no in one reply, worse is to be sure.",
    ),
    AddCase(
        number="D02",
        served=said(500, C90),
        expected=in_doubt(Reason.SERVER_ERROR),
    ),
    AddCase(
        number="D03",
        served=ok('{"status_code":400,"status_code":200,"data":[],"message":"Выполнено"}'),
        expected=in_doubt(Reason.CONTRADICTION),
    ),
    AddCase(
        number="D04",
        served=ok('{"status_code":200,"data":[],"error":true,"message":"Занято"}'),
        expected=refused(Reason.DECLINED),
    ),
    AddCase(
        number="D05",
        served=ok(f'{{"status_code":429,"data":[],"message":"{FAILED}"}}'),
        expected=in_doubt(Reason.CONTRADICTION),
    ),
    AddCase(
        number="D06",
        served=said(400, f"<html>{FAILED}</html>", HTML),
        expected=in_doubt(Reason.UNREADABLE),
    ),
    AddCase(
        number="D07",
        served=said(403, NGINX_404.replace("404 Not Found", "403 Forbidden"), HTML),
        expected=refused(Reason.MISCONFIGURED),
    ),
    AddCase(
        number="D08",
        served=said(404, NGINX_404, HTML),
        expected=refused(Reason.MISCONFIGURED),
    ),
    AddCase(
        number="D09",
        served=said(403, '{"status_code":403,"data":[],"message":"Телефон не найден"}'),
        expected=refused(Reason.NO_MATCH),
    ),
    AddCase(
        number="D10",
        served=said(401, '{"status_code":401,"data":null,"message":"Неверный токен"}'),
        expected=refused(Reason.MISCONFIGURED),
    ),
    AddCase(
        number="D11",
        served=ok('{"status_code":408,"data":[],"message":"Истекло время ожидания"}'),
        expected=in_doubt(Reason.SERVER_ERROR),
    ),
    AddCase(
        number="D12",
        served=said(202, C90),
        expected=in_doubt(Reason.UNCONFIRMED),
        why="202 means received: a stricter reading than 'any 2xx', in the buyer's favour.",
    ),
    AddCase(
        number="D13",
        served=said(400, "", HTML),
        expected=in_doubt(Reason.UNREADABLE),
    ),
    AddCase(
        number="D14",
        served=ok("[" * 100_000),
        expected=in_doubt(Reason.UNREADABLE),
    ),
    AddCase(
        number="D15",
        served=ok('{"status_code":200,"data":NaN,"message":"Выполнено"}'),
        expected=in_doubt(Reason.UNREADABLE),
    ),
    AddCase(
        number="D16",
        served=ok('{"status_code":' + "2" * 5000 + ',"data":[],"message":"Выполнено"}'),
        expected=in_doubt(Reason.UNREADABLE),
    ),
    AddCase(
        number="D17",
        served=ok(b'{"status_code":200,"data":[],"message":"' + b"x" * 300_000 + b'"}'),
        expected=in_doubt(Reason.UNREADABLE, "too long"),
    ),
    AddCase(
        number="D18",
        served=ok('{"status_code":1e400,"data":[],"message":"Выполнено"}'),
        expected=in_doubt(Reason.UNCONFIRMED),
    ),
    AddCase(
        number="D19",
        served=Bytes(b"\x16\x03\x01\x00\x00 not HTTP at all\r\n\r\n"),
        expected=in_doubt(Reason.NO_ANSWER),
    ),
    AddCase(
        number="D20",
        served=Bytes(b"SSH-2.0-OpenSSH_9.2\r\n"),
        expected=in_doubt(Reason.NO_ANSWER),
    ),
    AddCase(
        number="D21",
        served=Bytes(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n0\r\n\r\n"
        ),
        expected=in_doubt(Reason.NO_ANSWER),
    ),
    AddCase(
        number="D22",
        served=said(400, '{"success":true}'),
        expected=in_doubt(Reason.CONTRADICTION),
    ),
    AddCase(
        number="D23",
        served=said(422, '{"status_code":"200 OK","message":"Выполнено"}'),
        expected=in_doubt(Reason.CONTRADICTION),
    ),
    AddCase(
        number="D24",
        served=said(409, '{"message":"Выбранное время уже занято"}'),
        expected=refused(Reason.SLOT_TAKEN),
    ),
    AddCase(
        number="D25",
        served=said(304, '{"status_code":400,"message":"Нет"}'),
        expected=in_doubt(Reason.REDIRECTED),
    ),
    AddCase(
        number="D26",
        served=said(403, '{"message":"Forbidden"}'),
        expected=refused(Reason.MISCONFIGURED),
        why="Without a code of the CRM's no flat and no phone was looked at.",
    ),
    AddCase(
        number="D27",
        served=said(404, '{"name":"Not Found","message":"Страница не найдена.","status":404}'),
        expected=refused(Reason.MISCONFIGURED),
    ),
)
