"""Flows without a server to run: one embedded Prefect server, as long as the command that needs it.

The server is a child process on a loopback port with a password made for it. It ends when its standard input closes, so
that it cannot outlive the command, however that ends.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from passerelle.errors import OurWayError, PasserelleError

STARTUP_SECONDS = 120  # a cold start makes the database: 10 to 25 s on two busy cores
STOP_SECONDS = 10
SERVICES = ("SCHEDULER", "LATE_RUNS", "TRIGGERS", "FOREMAN", "PAUSE_EXPIRATIONS", "EVENT_LOGGER", "REPOSSESSOR")


def run_exchange_flow(home: str | None, order_id: str) -> dict[str, Any]:
    """Carry out ``order_id`` as a flow: on the server that PREFECT_API_URL names, else on an embedded one.

    Raises:
        PasserelleError: as the engine does; Prefect changes neither the decision nor the error.
        OurWayError: Prefect itself failed, or its server does not answer.
    """
    with prefect_server(Path(home or os.environ.get("PASSERELLE_HOME", ".passerelle")) / "prefect"), _quick():
        from flows.exchange import exchange
        from flows.sealing import HOME

        token = HOME.set(home)
        try:
            return exchange(order_id)
        except PasserelleError:
            raise
        except Exception as error:
            failure = type(error).__name__
        finally:
            HOME.reset(token)
    raise OurWayError(
        f"Prefect did not carry out the flow ({failure})",
        hint="check the server that PREFECT_API_URL names, or unset it: the engine needs none",
        fr=f"Prefect n'a pas mené l'échange ({failure})",
        hint_fr="vérifiez le serveur que PREFECT_API_URL désigne, ou retirez-la : le moteur s'en passe",
    )


@contextlib.contextmanager
def prefect_server(folder: Path) -> Iterator[None]:
    """A server for the flows inside the block: the one PREFECT_API_URL names, else an embedded one living in ``folder``.

    Blocks may be nested: the outermost starts the server and stops it. The process's environment is as before afterwards.
    """
    if os.environ.get("PREFECT_API_URL"):
        yield
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        password = f"passerelle:{secrets.token_urlsafe(24)}"
        server = _start(folder, listener.fileno(), password)
    try:
        _wait_until_ready(server, port)
        client = {
            **_common(folder),
            "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
            "PREFECT_API_AUTH_STRING": password,
        }
        with _environment(client):
            yield
            _drain()
    finally:
        _stop(server)


def _common(folder: Path) -> dict[str, str]:
    return {
        "PREFECT_HOME": str(folder),
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def _start(folder: Path, descriptor: int, password: str) -> subprocess.Popen[bytes]:
    own = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    off = {f"PREFECT_SERVER_SERVICES_{service}_ENABLED": "false" for service in SERVICES}
    settings = {"PREFECT_SERVER_UI_ENABLED": "false", "PREFECT_SERVER_API_AUTH_STRING": password, **off}
    return subprocess.Popen(
        [sys.executable, "-m", "flows.embedded", str(descriptor)],
        env={**own, **_common(folder), **settings},
        pass_fds=(descriptor,),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait_until_ready(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=STARTUP_SECONDS)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/api/health")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        time.sleep(0.1)
    state = "did not answer in time" if server.poll() is None else f"ended with status {server.returncode}"
    raise OurWayError(
        f"the embedded Prefect server {state}", hint="run the command without --flow: the engine needs none"
    )


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.stdin is not None:
        server.stdin.close()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """``values`` in the environment and in Prefect's settings, which are read once, at its first import."""
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        from prefect.context import use_profile
        from prefect.settings import Profile

        with use_profile(Profile(name="embedded", settings={}), include_current_context=False):
            yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


@contextlib.contextmanager
def _quick() -> Iterator[None]:
    """Without the heartbeat, whose thread is joined at the end of every flow: one second each."""
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield


def _drain() -> None:
    """Send what waits to be sent while the server is still there."""
    from prefect.events.worker import EventsWorker

    EventsWorker.drain_all(timeout=STOP_SECONDS)


def _serve(descriptor: int) -> None:
    import uvicorn

    config = uvicorn.Config("prefect.server.api.server:create_app", factory=True, log_level="critical", lifespan="on")
    server = uvicorn.Server(config)

    def stop_with_parent() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    threading.Thread(target=stop_with_parent, daemon=True).start()
    server.run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
