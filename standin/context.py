"""What one request meets at the stand-in, and what it can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from standin.fixtures import Estate
from standin.schedule import Diary
from standin.switches import Switches

Params = Mapping[str, str]

# The text of which nobody knows what it means; see fact F5.
FAILED = "Ошибка обработки запроса"


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
    secret: str = field(repr=False)
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
