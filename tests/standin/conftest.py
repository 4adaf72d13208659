from __future__ import annotations

from collections.abc import Iterator

import pytest

from standin import StandIn
from tests.standin.caller import Caller


@pytest.fixture
def crm() -> Iterator[StandIn]:
    with StandIn() as crm:
        yield crm


@pytest.fixture
def caller(crm: StandIn) -> Caller:
    return Caller(crm)
