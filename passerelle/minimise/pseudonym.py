"""Pseudonyms: the keyed tag of an identifier, in text. The same key gives the same pseudonym; another key, another."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from passerelle.minimise.prf import Tags, cmac

LENGTH: Final = 26
"""Characters of a pseudonym: 128 bits in base32 (RFC 4648 §6), lower case, without padding."""

_ALPHABET: Final = b"abcdefghijklmnopqrstuvwxyz234567"
_PAIRS: Final = np.frombuffer(b"".join(bytes([a, b]) for a in _ALPHABET for b in _ALPHABET), "V2")


def pseudonyms(key: bytes, column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The pseudonym of each value, null for null: base32 of its AES-CMAC.

    Args:
        key: the pseudonym key of one convention and one recipient.
        column: identifiers, normalised.

    Raises:
        UsageError: as ``cmac``.
    """
    array = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) and column.num_chunks else column
    tags = cmac(key, array)
    if not len(tags):
        return pa.array([], pa.string())
    text = _base32(tags)
    offsets = np.arange(0, LENGTH * len(tags) + 1, LENGTH, dtype=np.int32)
    validity = array.is_valid().buffers()[1] if array.null_count else None
    return pa.StringArray.from_buffers(
        len(tags), pa.py_buffer(offsets), pa.py_buffer(text.tobytes()), validity, array.null_count
    )


def _base32(tags: Tags) -> Tags:
    """RFC 4648 §6 over whole columns, ten bits (two characters) at a time."""
    words = np.ascontiguousarray(tags).view(">u8").astype(np.uint64)
    high, low = words[:, 0], words[:, 1]
    groups = [high >> np.uint64(shift) for shift in range(54, 3, -10)]
    groups.append((high << np.uint64(6)) | (low >> np.uint64(58)))
    groups += [low >> np.uint64(shift) for shift in range(48, 7, -10)]
    groups.append(low << np.uint64(2))
    ten_bits = np.uint64(0x3FF)
    text = np.empty((len(tags), LENGTH // 2), "V2")
    for place, group in enumerate(groups):
        text[:, place] = _PAIRS[(group & ten_bits).astype(np.intp)]
    return text.view(np.uint8)
