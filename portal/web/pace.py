"""How often an expensive way may be taken: so many times a minute by one visitor (generic cell rate algorithm, ITU-T I.371)."""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from threading import Lock

from starlette.requests import Request

MINUTE = 60.0  # seconds
MOST_KEYS = 20_000  # remembered at once; who is not remembered has made no recent call, or is one of very many
NETWORK_BITS = 64


class Pace:
    """Counts in memory: the portal is one process, and a restart forgives."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, most: int = MOST_KEYS) -> None:
        self._clock, self._most = clock, most
        self._free: dict[str, float] = {}  # when each key's calls so far are worked off; who called last comes last
        self._lock = Lock()

    def wait(self, key: str, per_minute: int) -> float:
        """Seconds until ``key`` may call again; 0 when it may now, and then the call is counted."""
        now, step = self._clock(), MINUTE / per_minute
        with self._lock:
            free = max(self._free.get(key, 0.0), now)
            if free + step - now > MINUTE:
                return free + step - now - MINUTE
            self._free.pop(key, None)
            if len(self._free) >= self._most:
                del self._free[next(iter(self._free))]
            self._free[key] = free + step
        return 0.0

    def __len__(self) -> int:
        return len(self._free)


def place_of(request: Request) -> str:
    """Where a request comes from, as calls are counted: an address, or the network of 64 bits that one visitor has whole (RFC 6177)."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ip_network((int(address), NETWORK_BITS), strict=False))  # noqa: PLR2004 - IPv4
