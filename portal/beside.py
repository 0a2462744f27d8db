"""A parcel beside what its recipient saw before: its number, and its head of the trail."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from portal.context import content, written
from portal.render import Screen, Text, Tone

if TYPE_CHECKING:
    from passerelle.parcel import Verified
    from passerelle.parcel.manifest import Terms

SeenOption = Annotated[
    Path | None, typer.Option("--seen", help="Where you keep what you have seen: a replay or a gap shows.")
]
ReceiptsOption = Annotated[
    list[Path] | None, typer.Option("--receipt", help="Your receipt of an earlier parcel; several may be given.")
]
ConsistencyOption = Annotated[
    list[Path] | None,
    typer.Option("--consistency", help="What trail consistency --json printed: one head continues another."),
]


@dataclass(frozen=True, slots=True)
class Given:
    """What was given to compare with."""

    seen: Path | None
    receipts: list[Path]
    consistency: list[Path]


def check_beside(verified: Verified, trust: Path, given: Given) -> dict[str, int] | None:
    """Check a parcel beside what was seen before, and keep what is seen now; how much there was, None when nothing was given."""
    from passerelle.receipt import read_receipt
    from passerelle.receipt import seen as known

    if given.seen is None and not given.receipts:
        return None
    key = (trust / "trail.vkey").read_text("utf-8").strip()
    kept = known.read_seen(content(given.seen, "--seen")) if given.seen is not None and given.seen.exists() else ()
    earlier = [*kept, *(known.receipted(read_receipt(content(one, "--receipt")), key) for one in given.receipts)]
    new = known.sighting(verified, key)
    known.check_new(new, earlier)
    proofs = [known.read_consistency(content(one, "--consistency")) for one in given.consistency]
    proven = known.check_heads(new, earlier, proofs)
    if given.seen is not None:
        written(given.seen, known.write_seen([*kept, new]), "--seen")
    return {"seen": len(earlier), "heads_proven": proven}


def say_earlier(out: Screen, terms: Terms, beside: dict[str, int] | None) -> None:
    """Say what the parcel resends or supersedes, and beside what it was checked."""
    if terms.resends is not None:
        old = terms.resends.parcel
        out.say(Text(f"C'est un nouvel envoi du colis {old} : n'en gardez qu'un.", f"It sends parcel {old} again: keep one of the two."), Tone.WARNED)  # fmt: skip
    if terms.supersedes is not None:
        old = ", ".join(terms.supersedes.parcels)
        out.say(Text(f"Il remplace {old} : détruisez-en toute copie et confirmez-le.", f"It takes the place of {old}: destroy every copy and confirm it."), Tone.WARNED)  # fmt: skip
    if beside is not None:
        count, proven = beside["seen"], beside["heads_proven"]
        out.say(Text(f"Comparé à {count} déjà vus ; la continuité du registre est prouvée pour {proven}.", f"Compared with {count} seen before; the trail is proven to continue for {proven}."), Tone.FAINT)  # fmt: skip
