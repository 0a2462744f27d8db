"""Writes tests/vectors/access: run it after a change of the format (``python -m tests.access.make_vectors``).

Hashes are made here by hand, from docs/spec/access-log.md alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "vectors" / "access"
FIRST = 7
Line = dict[str, Any]
Numbered = list[tuple[int, bytes]]


def canonical(line: Line, **form: Any) -> bytes:
    return json.dumps(line, **{"ensure_ascii": False, "sort_keys": True, "separators": (",", ":"), **form}).encode()


def leaf(data: bytes, prefix: bytes = b"\0") -> bytes:
    return hashlib.sha256(prefix + data).digest()


def tree(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + tree(leaves[:split]) + tree(leaves[split:])).digest()


def line(place: int, **told: Any) -> Line:
    base = {"action": "release_key", "actor": "agent", "at": f"2026-03-02T09:30:{place:02}Z", "outcome": "allowed"}
    return {**base, "reason": "", "subject": f"p-{place}", "salt": bytes(range(place, place + 16)).hex(), **told}


LINES = [
    line(1),
    line(2, reason="à la demande du DPO « urgent »", partner="mtfp", convention="csp-ft-2024", count=12),
    line(3, outcome="refused", subject="not-an-id"),
    line(4, reason='"\\ \u2028', exchange="candidate-pools", delivery="p-4", run="r-4"),
    line(5, actor="Zoé", action="trail_read", subject="trail", count=0),
]
DATA = [canonical(one) for one in LINES]


def stored(data: list[bytes]) -> Numbered:
    return list(enumerate(data, FIRST))


def vector(
    lines: Numbered, found: str = "", sealed: list[bytes] | None = None, kept: list[bytes] | None = None
) -> bytes:
    sealed = [leaf(one) for one in DATA] if sealed is None else sealed
    batch = {
        "count": len(sealed), "first": FIRST, "last": FIRST + len(sealed) - 1, "root_sha256": tree(sealed).hex(),
        "since": "2026-03-02T09:30:01Z", "until": "2026-03-02T09:30:05Z",
    }  # fmt: skip
    hashes = b"".join(sealed if kept is None else kept).hex()
    head = {"expect": "fail" if found else "ok", "found": found, "batch": canonical(batch).decode(), "hashes": hashes}
    text = "".join(f"{name}: {value}".rstrip() + "\n" for name, value in head.items())
    return text.encode() + b"\n" + b"".join(b"%d %s\n" % one for one in lines)


def changed(place: int, change: Callable[[Line], Line]) -> Numbered:
    return stored([canonical(change(one)) if at == place else DATA[at] for at, one in enumerate(LINES)])


def swapped(left: int, right: int) -> Numbered:
    data = list(DATA)
    data[left], data[right] = data[right], data[left]
    return stored(data)


def vectors() -> Iterator[tuple[str, bytes]]:
    yield "batch_of_five", vector(stored(DATA))
    yield "batch_of_one", vector(stored(DATA[:1]), sealed=[leaf(DATA[0])])
    yield "batch_of_four", vector(stored(DATA[:4]), sealed=[leaf(one) for one in DATA[:4]])
    for name in ("action", "actor", "at", "outcome", "reason", "subject", "salt"):
        values = {"salt": "00" * 16, "outcome": "refused", "action": "trail_read", "at": "2026-03-02T09:31:01Z"}
        found = changed(0, lambda one, n=name, v=values: {**one, n: v.get(n, "x")})  # type: ignore[misc]  # bound now
        yield f"{name}_edited", vector(found, "edited 7")
    yield "field_added", vector(changed(0, lambda one: {**one, "partner": "mtfp"}), "edited 7")
    yield "field_taken_out", vector(changed(1, lambda one: {k: v for k, v in one.items() if k != "count"}), "edited 8")
    yield "count_edited", vector(changed(1, lambda one: {**one, "count": 2}), "edited 8")
    yield "line_deleted", vector(stored(DATA)[:1] + stored(DATA)[2:], "deleted 8")
    yield "last_line_deleted", vector(stored(DATA)[:-1], "deleted 11")
    yield "all_lines_deleted", vector([], " ".join(f"deleted {FIRST + at}" for at in range(5)))
    yield "line_inserted", vector([*stored(DATA)[:2], (8, canonical(line(9))), *stored(DATA)[2:]], "inserted 8")
    yield "line_twice", vector([*stored(DATA)[:2], (8, DATA[1]), *stored(DATA)[2:]], "inserted 8")
    yield "neighbours_swapped", vector(swapped(1, 2), "reordered")
    yield "ends_swapped", vector(swapped(0, 4), "reordered")
    yield "hashes_altered", vector(stored(DATA), "hashes_altered", kept=[bytes(32)] * 5)
    yield "hashes_missing", vector(stored(DATA), "hashes_altered", kept=[])
    yield "hashes_and_line_altered", vector(changed(0, lambda one: {**one, "actor": "x"}), "altered", kept=[])
    # Batches that another writer sealed otherwise than the page says: their roots are not those of their lines.
    wrong = {
        "sealed_without_prefix": [leaf(one, b"") for one in DATA],
        "sealed_with_null": [leaf(canonical({**one, "run": one.get("run")})) for one in LINES],
        "sealed_with_ascii_escapes": [leaf(canonical(one, ensure_ascii=True)) for one in LINES],
        "sealed_with_spaces": [leaf(canonical(one, separators=(", ", ": "))) for one in LINES],
        "sealed_unsorted": [leaf(canonical(one, sort_keys=False)) for one in LINES],
        "sealed_without_salt": [leaf(canonical({k: v for k, v in one.items() if k != "salt"})) for one in LINES],
    }
    for name, sealed in wrong.items():
        yield name, vector(stored(DATA), "altered", sealed=sealed, kept=[])


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for vector_name, content in vectors():
        (FOLDER / f"{vector_name}.txt").write_bytes(content)
