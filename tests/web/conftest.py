"""What tests of the door ask for: a portal where nobody failed yet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from passerelle.store import attempts
from tests.gateway import Gateway
from tests.web.visitors import Portal

AT_THE_DOOR = "2025-05-05T10:00:00+02:00"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with one partner."""
    made = Gateway.create(tmp_path_factory.mktemp("door"), AT_THE_DOOR).partner("mtfp")
    yield made
    made.workspace.close()


@pytest.fixture
def portal(gateway: Gateway) -> Portal:
    """Its portal; each test begins at the same instant, with accounts that failed at nothing."""
    gateway.move_to(AT_THE_DOOR)
    with gateway.workspace.database.begin() as connection:
        connection.execute(attempts.attempt.delete())
    return Portal(gateway)
