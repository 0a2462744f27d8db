"""AES-CMAC (NIST SP 800-38B, RFC 4493) of a whole column at a time: one AES call per block of the longest values.

A keyed pseudo-random function rather than a hash: the space of a national number is small enough to be tried whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from passerelle.errors import UsageError

BLOCK: Final = 16
_DOUBLING: Final = 0x87
_ALL: Final = (1 << 128) - 1

Tags = npt.NDArray[np.uint8]


def cmac(key: bytes, column: pa.Array | pa.ChunkedArray) -> Tags:
    """The AES-CMAC of each value's bytes (UTF-8 for text).

    Args:
        key: 16, 24 or 32 bytes.
        column: text or binary of any width, chunked or not.

    Returns:
        (n, 16) uint8; the row of a null is all zeros, so callers MUST ask ``column.is_valid()`` where it matters.

    Raises:
        UsageError: a key of another length, or a column of another type.
    """
    if len(key) not in {16, 24, 32}:
        raise UsageError(f"expected a key of 16, 24 or 32 bytes, came {len(key)}")
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return np.concatenate([np.empty((0, BLOCK), np.uint8), *(_cmac(key, chunk) for chunk in chunks)])


def row_tags(key: bytes, table: pa.Table, columns: Sequence[str]) -> tuple[Tags, npt.NDArray[np.bool_]]:
    """One tag a row over several columns, in their order, and whether none of them is null.

    The tag of several columns is the CMAC of the columns' tags in a row, so that no two ways to cut a text agree.

    Raises:
        UsageError: no column.
    """
    if not columns:
        raise UsageError("a key needs at least one column")
    parts = [cmac(key, table[name]) for name in columns]
    present = np.ones(table.num_rows, np.bool_)
    for name in columns:
        present &= table[name].is_valid().to_numpy()
    if len(parts) == 1:
        return parts[0], present
    joined = np.ascontiguousarray(np.hstack(parts))
    rows = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(joined.shape[1]), len(joined), [None, pa.py_buffer(joined.reshape(-1))]
    )
    return cmac(key, rows), present


def _cmac(key: bytes, chunk: pa.Array) -> Tags:
    try:
        binary = chunk.cast(pa.large_binary())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        binary = None
    if binary is None:
        raise UsageError("expected a column of text or bytes")
    _, offsets_buffer, data = binary.buffers()
    count = len(binary)
    if not count:
        return np.empty((0, BLOCK), np.uint8)
    offsets = np.frombuffer(offsets_buffer, np.int64)[binary.offset : binary.offset + count + 1]
    octets = np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]] if data is not None else np.empty(0, np.uint8)
    tags = _tags(key, octets, offsets[:-1] - offsets[0], np.diff(offsets))
    if binary.null_count:
        tags[~binary.is_valid().to_numpy(zero_copy_only=False)] = 0
    return tags


def _tags(key: bytes, octets: Tags, starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> Tags:
    # ECB is the bare block cipher here, as SP 800-38B builds CMAC from it.
    encrypt = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update  # noqa: S305 -- the block cipher that CMAC is built from
    keep, tail = _last_block(encrypt(bytes(BLOCK)))
    if (lengths == lengths[0]).all():
        return _of_one_width(encrypt, octets.reshape(len(starts), int(lengths[0])), keep, tail)
    padded = np.concatenate((octets, np.zeros(BLOCK, np.uint8)))
    windows = np.ndarray((len(octets) + 1,), "V16", padded, strides=(1,))
    blocks = np.maximum(1, -(-lengths // BLOCK))
    longest_first = np.argsort(-blocks, kind="stable")
    state = np.zeros((len(starts), BLOCK), np.uint8)
    counts = blocks[longest_first]
    rounds = int(counts[0])
    for place in range(rounds):
        active = int(np.searchsorted(-counts, -place))
        rows = longest_first[:active] if rounds > 1 else slice(None)
        block = windows[starts[rows] + place * BLOCK].view(np.uint8).reshape(-1, BLOCK)
        left = np.minimum(lengths[rows] - place * BLOCK, BLOCK + 1)
        block = (block & keep[left]) ^ tail[left] ^ state[:active]
        state[:active] = np.frombuffer(encrypt(block.tobytes()), np.uint8).reshape(-1, BLOCK)
    tags = np.empty_like(state)
    tags[longest_first] = state
    return tags if rounds > 1 else state


def _of_one_width(encrypt: Callable[[bytes], bytes], octets: Tags, keep: Tags, tail: Tags) -> Tags:
    """As ``_tags`` where every value is as long as every other: no value has to be looked for."""
    count, width = octets.shape
    blocks = max(1, -(-width // BLOCK))
    padded = np.zeros((count, blocks * BLOCK), np.uint8)
    padded[:, :width] = octets
    state = np.zeros((count, BLOCK), np.uint8)
    for place in range(blocks):
        left = min(width - place * BLOCK, BLOCK + 1)
        block = (padded[:, place * BLOCK : (place + 1) * BLOCK] & keep[left]) ^ tail[left] ^ state
        state = np.frombuffer(bytearray(encrypt(block.tobytes())), np.uint8).reshape(-1, BLOCK)
    return state


def _last_block(zero: bytes) -> tuple[Tags, Tags]:
    """For 0 to 16 bytes left, and 17 for more: what to keep of a block, and what to add to it (padding, K1 or K2)."""
    first = _double(int.from_bytes(zero, "big"))
    second = _double(first)
    keep = np.array([[255] * left + [0] * (BLOCK - left) for left in range(BLOCK + 1)] + [[255] * BLOCK], np.uint8)
    tail = [second ^ (0x80 << 8 * (BLOCK - 1 - left)) for left in range(BLOCK)] + [first, 0]
    return keep, np.frombuffer(b"".join(word.to_bytes(BLOCK, "big") for word in tail), np.uint8).reshape(-1, BLOCK)


def _double(word: int) -> int:
    """Multiplication by x in GF(2^128), in time that does not matter: once a call, for a subkey."""
    return (word << 1 & _ALL) ^ (_DOUBLING if word >> 127 else 0)
