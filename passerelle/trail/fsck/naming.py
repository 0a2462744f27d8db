"""What was done to a trail, in a word: said from the stored rows and from what the check found wrong."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

MAX_PLACES = 10_000  # compared; a trail that differs in more places is named by the first
SIGNS = (  # a fault that has these words, what it means, and how it is said in French
    ("truncated, it was signed over", "truncated", "coupé"),
    ("forked, the same key signed another history", "forked", "bifurqué"),
    ("rewritten, its entries are not those", "re-chained", "réenchaîné en entier"),
    ("of another key", "key swapped", "clé remplacée"),
    ("back-dated", "back-dated", "antidaté"),
)


def named(rows: Iterable[tuple[int, Any, Any, Any]], size: int, faults: Sequence[str]) -> tuple[str, str]:
    """What was done, in English and in French.

    What the rows show themselves comes first: entries deleted, inserted after the head's ``size``, reordered, edited. Then what
    only the signed heads show.
    """
    expected, altered = 0, dict[int, tuple[bytes, bytes]]()
    for index, _, stored, body in rows:
        if index != expected:
            return f"deleted: entry {expected}", f"supprimé : écriture {expected}"
        leaf = hashlib.sha256(b"\x00" + (body if isinstance(body, bytes) else b"")).digest()
        if leaf != stored and len(altered) < MAX_PLACES:
            altered[index] = leaf, bytes(stored) if isinstance(stored, bytes) else b""
        expected += 1
    if expected > size:
        return f"inserted: entry {size}", f"inséré : écriture {size}"
    if altered:
        places = ", ".join(str(place) for place in list(altered)[:5])
        if len(altered) > 1 and Counter(leaf for leaf, _ in altered.values()) == Counter(
            one for _, one in altered.values()
        ):
            return f"reordered: entries {places}", f"réordonné : écritures {places}"
        return f"edited: entry {places}", f"modifié : écriture {places}"
    for words, english, french in SIGNS:
        if any(words in fault for fault in faults):
            return english, french
    return "altered", "altéré"
