"""How often an expensive way may be taken: so many times a minute by one visitor (generic cell rate algorithm, ITU-T I.371)."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

MINUTE = 60.0  # seconds
MOST_KEYS = 20_000  # remembered at once; who is not remembered has made no recent call, or is one of very many


class Pace:
    """Counts in memory: the portal is one process, and a restart forgives."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._free: dict[str, float] = {}  # when each key's calls so far are worked off
        self._lock = Lock()

    def wait(self, key: str, per_minute: int) -> float:
        """Seconds until ``key`` may call again; 0 when it may now, and then the call is counted."""
        now, step = self._clock(), MINUTE / per_minute
        with self._lock:
            free = max(self._free.get(key, 0.0), now)
            if free + step - now > MINUTE:
                return free + step - now - MINUTE
            if len(self._free) >= MOST_KEYS:
                self._free = {one: until for one, until in self._free.items() if until > now}
            self._free[key] = free + step
        return 0.0
