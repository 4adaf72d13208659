"""Pages and dates of a log too long to be counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from booking.models import Booking

# Nobody turns so many pages; whoever looks further back takes a date.
MOST_COUNTED = 10_000
LEAP_YEAR = 2000

if TYPE_CHECKING:
    BookingPaginator = Paginator[Booking]
else:
    BookingPaginator = Paginator


class CappedPaginator(BookingPaginator):
    """Counts no further than it offers pages."""

    object_list: QuerySet[Booking]

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[: MOST_COUNTED + 1].count()


class LogChangeList(ChangeList):
    """The list of bookings, which knows whether it counted all and which dates to offer."""

    def get_queryset(
        self, request: HttpRequest, exclude_parameters: Any = None
    ) -> QuerySet[Booking]:
        with _nonsense_refused():
            return super().get_queryset(request, exclude_parameters)

    def get_ordering_field(self, field_name: Any) -> Any:
        """Only what an index sorts, whatever the address asks for."""
        sortable = self.sortable_by or ()
        return super().get_ordering_field(field_name) if field_name in sortable else None

    def get_ordering(
        self, request: HttpRequest, queryset: QuerySet[Booking]
    ) -> list[str | Combinable]:
        """By one column, then by the row's number in the same direction: as the indexes are."""
        first = str(super().get_ordering(request, queryset)[0])
        return [first, "-pk" if first.startswith("-") else "pk"]

    def get_results(self, request: HttpRequest) -> None:
        with _nonsense_refused():
            self._chosen_date()
            super().get_results(request)
        # The search box then leaves the count to the foot of the list, which knows of the cap.
        self.full_result_count = self.result_count

    @property
    def is_capped(self) -> bool:
        return bool(self.result_count > MOST_COUNTED)

    @property
    def most_counted(self) -> int:
        return MOST_COUNTED

    def dates(self) -> dict[str, Any]:
        """Links to years, the months of one or the days of one; no look at the rows between."""
        year, month, day = self._chosen()
        if year and month and day:
            back = {"year": year, "month": month}
            here = self._chosen_date()
            return _bar(self._link(back), _month(here), [{"title": _day(here)}])
        if year and month:
            choices = list(self._days(year, month))
            return _bar(self._link({"year": year}), str(year), choices)
        if year:
            return _bar(self._link({}), _("All dates"), list(self._months(year)))
        return _bar("", "", list(self._years()))

    def _years(self) -> Iterator[dict[str, str]]:
        ends = _first_and_last()
        for year in range(ends[0].year, ends[1].year + 1) if ends else ():
            yield {"link": self._link({"year": year}), "title": str(year)}

    def _months(self, year: int) -> Iterator[dict[str, str]]:
        for month in range(1, 13):
            title = _month(datetime(year, month, 1))  # noqa: DTZ001 - a calendar's month
            yield {"link": self._link({"year": year, "month": month}), "title": title}

    def _days(self, year: int, month: int) -> Iterator[dict[str, str]]:
        for day in range(1, 32):
            try:
                title = _day(datetime(year, month, day))  # noqa: DTZ001 - a calendar's day
            except ValueError:
                return
            date = {"year": year, "month": month, "day": day}
            yield {"link": self._link(date), "title": title}

    def _chosen(self) -> list[int]:
        """Year, month and day; 0 for what is not chosen."""
        names = [f"{self.date_hierarchy}__{unit}" for unit in ("year", "month", "day")]
        return [int(self.params.get(name) or 0) for name in names]

    def _chosen_date(self) -> datetime:
        """With the first of what is not chosen. Raises ValueError."""
        year, month, day = self._chosen()
        return datetime(year or LEAP_YEAR, month or 1, day or 1)  # noqa: DTZ001 - a calendar's day

    def _link(self, date: dict[str, int]) -> str:
        lookups = {f"{self.date_hierarchy}__{unit}": value for unit, value in date.items()}
        return self.get_query_string(lookups, [f"{self.date_hierarchy}__"])


@contextmanager
def _nonsense_refused() -> Iterator[None]:
    """What no database can be asked, or no calendar has. Django foresees words for numbers only."""
    try:
        yield
    except (OverflowError, ValueError, DataError) as exc:
        raise IncorrectLookupParameters(exc) from exc


def _bar(back_link: str, back_title: str, choices: list[dict[str, str]]) -> dict[str, Any]:
    back = {"link": back_link, "title": back_title} if back_link else None
    return {"show": True, "back": back, "choices": choices}


def _first_and_last() -> tuple[datetime, datetime] | None:
    made = Booking.objects.values_list("created_at", flat=True)
    first = made.order_by("created_at").first()
    last = made.order_by("-created_at").first()
    return (timezone.localtime(first), timezone.localtime(last)) if first and last else None


def _month(moment: datetime) -> str:
    return capfirst(formats.date_format(moment, "YEAR_MONTH_FORMAT"))


def _day(moment: datetime) -> str:
    return capfirst(formats.date_format(moment, "MONTH_DAY_FORMAT"))
