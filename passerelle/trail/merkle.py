"""The Merkle tree of RFC 6962, section 2.1, over SHA-256. Pure: hashes in, hashes out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from passerelle.errors import TrailError

HASH_SIZE = 32
MAX_SIZE = 2**63 - 1  # leaves; sizes are signed 64-bit integers in every database
EMPTY_ROOT = hashlib.sha256(b"").digest()

Range = tuple[int, int]


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf: SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """The perfect subtrees on the right edge of a tree, largest first: all that an append needs to know.

    ``hashes`` has one hash for each bit set in ``size``.
    """

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self._add(leaf, 0)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add leaf hashes in their order, whole subtrees at a time."""
        start = 0
        while rest := len(leaves) - start:
            height = rest.bit_length() - 1
            if self.size:
                height = min(height, (self.size & -self.size).bit_length() - 1)
            end = start + (1 << height)
            self._add(_perfect(leaves[start:end]), height)
            start = end

    def _add(self, subtree: bytes, height: int) -> None:
        """Add the root over ``1 << height`` leaves; ``size`` is a multiple of that."""
        index = self.size >> height
        while index & 1:
            subtree = node_hash(self.hashes.pop(), subtree)
            index >>= 1
        self.hashes.append(subtree)
        self.size += 1 << height

    def root(self) -> bytes:
        """The root at this size; the empty tree has the hash of nothing."""
        return _fold(self.hashes) if self.hashes else EMPTY_ROOT

    def to_bytes(self) -> bytes:
        """The hashes, one after the other."""
        return b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Frontier:
        """Read back what ``to_bytes`` wrote.

        Raises:
            TrailError: ``data`` does not hold one hash for each bit set in ``size``.
        """
        if size < 0 or len(data) != size.bit_count() * HASH_SIZE:
            raise TrailError(
                f"expected {max(size, 0).bit_count()} hashes of {HASH_SIZE} bytes for {size} leaves, found {len(data)} bytes",
                where="frontier",
            )
        return cls(size, [data[i : i + HASH_SIZE] for i in range(0, len(data), HASH_SIZE)])


def _fold(hashes: Sequence[bytes]) -> bytes:
    """Combine subtrees from right to left (RFC 6962, 2.1: a smaller tree always hangs on the right)."""
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


def _perfect(leaves: Sequence[bytes]) -> bytes:
    """The root over as many leaf hashes as a power of two, level by level."""
    while len(leaves) > 1:
        leaves = [node_hash(left, right) for left, right in zip(leaves[::2], leaves[1::2], strict=True)]
    return leaves[0]


def _split(size: int) -> int:
    """The largest power of two smaller than ``size`` (size > 1)."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges of leaves ``[start, end)`` whose roots make the audit path of ``index``, leaf's sibling first (2.1.1).

    Raises:
        TrailError: there is no such leaf.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise TrailError(f"no entry {index} in a tree of {size}", where="inclusion proof")
    start, end = 0, size
    path: list[Range] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_ranges(size1: int, size2: int) -> list[Range]:
    """The ranges of leaves whose roots prove that the tree of ``size2`` continues that of ``size1`` (2.1.2).

    Raises:
        TrailError: unless 0 < size1 <= size2.
    """
    if not 0 < size1 <= size2 <= MAX_SIZE:
        raise TrailError(f"expected 0 < older size <= newer size, got {size1} and {size2}", where="consistency proof")
    start, end = 0, size2
    path: list[Range] = []
    while size1 < end:
        middle = start + _split(end - start)
        if size1 <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    if start:
        path.append((start, end))
    return path[::-1]


def range_root(start: int, end: int, subtree: Callable[[int, int], bytes]) -> bytes:
    """The root over the leaves ``[start, end)``, a range of a proof, from perfect subtrees.

    ``subtree(height, index)`` MUST return the root over the leaves ``[index << height, (index + 1) << height)``.
    """
    hashes: list[bytes] = []
    while start < end:
        height = (end - start).bit_length() - 1
        hashes.append(subtree(height, start >> height))
        start += 1 << height
    return _fold(hashes)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of one leaf among leaf hashes."""
    return [root(leaves[start:end]) for start, end in inclusion_ranges(index, len(leaves))]


def consistency_proof(leaves: Sequence[bytes], size1: int) -> list[bytes]:
    """The proof that the tree over ``leaves`` continues the tree over the first ``size1`` of them."""
    return [root(leaves[start:end]) for start, end in consistency_ranges(size1, len(leaves))]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], expected_root: bytes) -> bytes:
    """Check an audit path (RFC 9162, 2.1.3.2, the same hashes) and return the root it leads to.

    Raises:
        TrailError: the leaf is not at ``index`` of the tree of ``size`` under ``expected_root``.
    """
    where = "inclusion proof"
    ranges = inclusion_ranges(index, size)
    _check_hashes([leaf, *proof], where)
    if len(proof) != len(ranges):
        raise TrailError(f"expected {len(ranges)} hashes, found {len(proof)}", where=where)
    result = leaf
    for (start, _), sibling in zip(ranges, proof, strict=True):
        result = node_hash(result, sibling) if start > index else node_hash(sibling, result)
    if result != expected_root:
        raise TrailError("the path does not lead to the root", where=where)
    return result


def verify_consistency(size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> bytes:
    """Check that the tree under ``root2`` continues the tree under ``root1`` and return ``root2``.

    Raises:
        TrailError: it does not, or the proof is not one between these sizes.
    """
    where = "consistency proof"
    ranges = consistency_ranges(size1, size2)
    _check_hashes(proof, where)
    if len(proof) != len(ranges):
        raise TrailError(f"expected {len(ranges)} hashes, found {len(proof)}", where=where)
    hashes = list(zip(ranges, proof, strict=True))
    # The walk starts at the subtree that both trees share: the older tree itself when it is perfect (RFC 9162, 2.1.4.2).
    seed, rest = (root1, hashes) if not ranges or ranges[0][0] >= size1 else (proof[0], hashes[1:])
    old = new = seed
    for (start, _), sibling in rest:
        if start < size1:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    if old != root1:
        raise TrailError("the proof does not start from the older root", where=where)
    if new != root2:
        raise TrailError("the proof does not lead to the newer root", where=where)
    return new


def _check_hashes(hashes: Sequence[bytes], where: str) -> None:
    if any(len(item) != HASH_SIZE for item in hashes):
        raise TrailError(f"expected hashes of {HASH_SIZE} bytes", where=where)
