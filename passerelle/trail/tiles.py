"""The trail as static files (c2sp.org/tlog-tiles): a checkpoint, tiles of hashes, bundles of entries.

What is written is a copy of one signed head and all that it covers: whoever has it checks the trail without the gateway.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, select

from passerelle.errors import TrailError
from passerelle.trail.checkpoint import Checkpoint
from passerelle.trail.nodes import TILE_HEIGHT, TILE_WIDTH, Nodes
from passerelle.trail.tables import trail_entry

LENGTH_BYTES = 2  # before each entry of a bundle, big-endian


def tile_path(level: int | str, index: int, width: int = TILE_WIDTH) -> str:
    """``tile/<level>/x001/x234/067``, with ``.p/<width>`` for a partial tile; level ``entries`` names a bundle."""
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[place : place + 3] for place in range(0, len(digits), 3)]
    path = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return f"tile/{level}/{path}" + (f".p/{width}" if width < TILE_WIDTH else "")


def export(connection: Connection, checkpoint: Checkpoint, folder: Path) -> int:
    """Write everything that ``checkpoint`` covers into ``folder``, the checkpoint last; the number of files written.

    A full tile that is there already stays: it never changes.

    Raises:
        TrailError: the stored hashes do not give the checkpoint's root; no checkpoint is written.
    """
    nodes = Nodes(connection, checkpoint.size)
    if nodes.root(checkpoint.size) != checkpoint.root:
        raise TrailError("the entries do not give the root of the head to export", where="trail")
    count = 0
    for path, data in _files(connection, nodes, checkpoint.size):
        count += _put(folder / path, data)
    return count + _put(folder / "checkpoint", checkpoint.note.encode(), replace=True)


def _files(connection: Connection, nodes: Nodes, size: int) -> Iterator[tuple[str, bytes]]:
    for index, width in _widths(size):
        yield tile_path("entries", index, width), _bundle(connection, index, width)
    level = 0
    while hashes := size >> TILE_HEIGHT * level:
        for index, width in _widths(hashes):
            first = index * TILE_WIDTH
            tile = (nodes.subtree(TILE_HEIGHT * level, place) for place in range(first, first + width))
            yield tile_path(level, index, width), b"".join(tile)
        level += 1


def _widths(hashes: int) -> Iterator[tuple[int, int]]:
    """The tiles over so many hashes: index and width of each, the last one perhaps partial, none empty."""
    for index in range(-(-hashes // TILE_WIDTH)):
        yield index, min(TILE_WIDTH, hashes - index * TILE_WIDTH)


def _bundle(connection: Connection, index: int, width: int) -> bytes:
    first = index * TILE_WIDTH
    query = select(trail_entry.c.body).where(trail_entry.c.index >= first, trail_entry.c.index < first + width)
    bodies = list(connection.scalars(query.order_by(trail_entry.c.index)))
    if len(bodies) != width:
        raise TrailError("stored entries are missing", where=tile_path("entries", index, width))
    return b"".join(len(body).to_bytes(LENGTH_BYTES, "big") + body for body in bodies)


def _put(path: Path, data: bytes, *, replace: bool = False) -> int:
    """Write beside, sync, rename; 1 when something was written."""
    if not replace and path.is_file() and path.read_bytes() == data:
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return 1
