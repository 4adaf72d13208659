"""The people at the desk."""

import pytest
from django.test import Client

from tests.bookings import staff


@pytest.fixture
def operator(db: None) -> Client:
    return staff("olga", "operators")


@pytest.fixture
def manager(db: None) -> Client:
    return staff("mark", "managers")
