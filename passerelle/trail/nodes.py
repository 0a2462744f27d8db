"""Any hash of the tree from what is stored: at most one tile, or 256 rows, for each eight levels of height."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from passerelle.errors import TrailError
from passerelle.trail import merkle
from passerelle.trail.tables import trail_entry, trail_tile

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT


class Nodes:
    """Reads the hashes of the tree of ``size`` leaves; what it read once it keeps."""

    def __init__(self, connection: Connection, size: int) -> None:
        self._connection = connection
        self._size = size
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def subtree(self, height: int, index: int) -> bytes:
        """The root over the leaves ``[index << height, (index + 1) << height)``.

        Raises:
            TrailError: the stored hashes that it needs are missing.
        """
        level, rest = divmod(height, TILE_HEIGHT)
        first = index << rest
        tile, offset = divmod(first, TILE_WIDTH)
        hashes = self._tile(level, tile)[offset : offset + (1 << rest)]
        if len(hashes) != 1 << rest:
            raise TrailError("stored hashes are missing", where=f"tile {level}/{tile}", hint="passerelle trail verify")
        return merkle.root(hashes)

    def root(self, size: int) -> bytes:
        """The root over the first ``size`` leaves."""
        return merkle.range_root(0, size, self.subtree) if size else merkle.EMPTY_ROOT

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """The audit path of one leaf."""
        ranges = merkle.inclusion_ranges(index, self._size)
        return tuple(merkle.range_root(start, end, self.subtree) for start, end in ranges)

    def _tile(self, level: int, tile: int) -> list[bytes]:
        key = (level, tile)
        if key not in self._tiles:
            self._tiles[key] = self._read(level, tile)
        return self._tiles[key]

    def _read(self, level: int, tile: int) -> list[bytes]:
        known = self._size >> TILE_HEIGHT * level
        if (tile + 1) * TILE_WIDTH > known:
            return _hashes(self._connection, level, tile * TILE_WIDTH, known)
        query = select(trail_tile.c.hashes).where(trail_tile.c.level == level, trail_tile.c.index == tile)
        data = self._connection.scalar(query) or b""
        return [data[i : i + merkle.HASH_SIZE] for i in range(0, len(data), merkle.HASH_SIZE)]


def complete_tiles(connection: Connection, old_size: int, leaves: Sequence[bytes]) -> None:
    """Write the tiles that became full while the tree grew by ``leaves``; its entries MUST have been written."""
    level, new_size = 0, old_size + len(leaves)
    while (new := new_size >> TILE_HEIGHT * (level + 1)) > (old := old_size >> TILE_HEIGHT * (level + 1)):
        rows = []
        for tile in range(old, new):
            start, end = tile * TILE_WIDTH, (tile + 1) * TILE_WIDTH
            hashes = _hashes(connection, level, start, end) if level else _leaves(connection, old_size, leaves, start)
            rows.append({"level": level, "index": tile, "root": merkle.root(hashes), "hashes": b"".join(hashes)})
        connection.execute(insert(trail_tile), rows)
        level += 1


def _leaves(connection: Connection, old_size: int, leaves: Sequence[bytes], start: int) -> list[bytes]:
    """The leaf hashes of the tile that begins at ``start``: those in hand, after those that were stored before."""
    stored = _hashes(connection, 0, start, old_size) if start < old_size else []
    first = max(start - old_size, 0)
    return [*stored, *leaves[first : first + TILE_WIDTH - len(stored)]]


def _hashes(connection: Connection, level: int, start: int, end: int) -> list[bytes]:
    """The hashes ``[start, end)`` of one level, from the rows of the level below."""
    if level == 0:
        query = select(trail_entry.c.leaf_hash).where(trail_entry.c.index >= start, trail_entry.c.index < end)
        return list(connection.scalars(query.order_by(trail_entry.c.index)))
    rows = select(trail_tile.c.root).where(trail_tile.c.level == level - 1)
    query = rows.where(trail_tile.c.index >= start, trail_tile.c.index < end)
    return list(connection.scalars(query.order_by(trail_tile.c.index)))
