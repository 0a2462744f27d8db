"""The portal as a process: it says that it is open once it is, and a port that is taken is told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2

from tests.gateway import Gateway

COMMAND = [sys.executable, "-m", "portal.cli", "serve", "--port"]


def test_who_connects_as_it_says_open_is_answered(tmp_path: Path) -> None:
    """The line that tells the address comes when the port listens; a second portal is refused that port; Ctrl-C ends the first."""
    gateway = Gateway.create(tmp_path, "2025-05-12T06:00:00+02:00")
    gateway.workspace.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "PASSERELLE_HOME": str(gateway.home), "PASSERELLE_LANG": "en"}
    with subprocess.Popen([*COMMAND, str(port)], env=environment, stdout=subprocess.PIPE, text=True) as portal:
        assert portal.stdout is not None
        assert portal.stdout.readline() == f"✓ The portal is open: http://localhost:{port}/\n"
        assert httpx2.get(f"http://127.0.0.1:{port}/", timeout=60).status_code == httpx2.codes.SEE_OTHER
        second = subprocess.run([*COMMAND, str(port)], env=environment, capture_output=True, text=True, check=False)
        portal.send_signal(signal.SIGINT)
        assert portal.wait(60) == 0
    assert (second.returncode, second.stdout) == (2, "")
    assert second.stderr.startswith(f"error: this machine does not let the portal listen on 127.0.0.1, port {port}")
    assert "hint: " in second.stderr
