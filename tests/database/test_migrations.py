"""What an upgrade makes of the bookings of an older version."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from booking.models import Booking
from tests.bookings import tomorrow_at

# Before flats were folded for the search; campaigns, numbers and flats with one visit came later.
OLD = [("booking", "0001_initial")]


def migrate(targets: list[tuple[str, str]]) -> Any:
    """The models as they are then."""
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return executor.loader.project_state(targets).apps


@pytest.mark.django_db(transaction=True)
def test_bookings_of_the_first_version_are_found_by_all_that_came_later():
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        old = migrate(OLD).get_model("booking", "Booking")
        sources: list[dict[str, str]] = [{"utm_source": "letter", "ref": "x"}, {"ref": "42"}, {}]
        for number, source in enumerate(sources):
            old.objects.create(
                key=uuid.uuid4(),
                outcome="confirmed",
                category="flat",
                house_id="3105011",
                flat="К-1.4",
                starts_at=tomorrow_at(9 + number),
                time_zone="Asia/Yekaterinburg",
                phone=f"+7900123456{number}",
                source=source,
                deadline_at=timezone.now(),
            )
    finally:
        migrate(latest)

    made = list(Booking.objects.order_by("pk"))
    assert [each.campaign for each in made] == ["letter", "42", ""]
    assert len({each.reference for each in made}) == 3
    assert all(each.flat_folded and each.flat_folded != each.flat for each in made)
    assert [each.holds_flat for each in made] == [False, False, True]
