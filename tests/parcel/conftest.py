"""One parcel after another, small and whole, for the tests of the format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passerelle.contract import Column, Kind
from passerelle.errors import TrailError
from passerelle.keys import Identity, Signer, allowed_signers
from passerelle.parcel import (
    Bilingual,
    Counts,
    DecisionNote,
    DestroyBy,
    Facts,
    Sealed,
    Sealer,
    Source,
    Trail,
    Trust,
    build_manifest,
    notice_hashes,
    notices,
    sign,
)

CREATED = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
CSV = b'code,count\n"A ""1""\nline",12\nB2,*\nC3,\n'
ROWS = 3
RETURNED = {"sender": "face", "counts": Counts(read=ROWS, accepted=2, rejected=1, extracted=ROWS)}


def make_facts(**changes: object) -> Facts:
    """Facts of a parcel whose extract is ``CSV``."""
    facts = Facts(
        parcel="face-pe-2014.shared-studies.2023.face.1",
        created=CREATED,
        title=Bilingual(fr="Besoins en main-d'œuvre", en="Labour needs"),
        sources=[Source(title="Pôle emploi", path="https://statistiques.pole-emploi.org")],
        columns=[
            Column("code", "code du bassin", "code of the area", Kind.CODE),
            Column("count", "projets", "projects", Kind.COUNT, required=False),
        ],
        convention="face-pe-2014",
        convention_sha256="ab" * 32,
        exchange="shared-studies",
        article="engagements",
        purpose=Bilingual(fr="Partager les études", en="Share studies"),
        period="2023",
        contract="studies_bmo",
        contract_version="1.0.0",
        sender="pole-emploi",
        recipient="face",
        sequence=1,
        counts=Counts(read=4, accepted=3, rejected=1, extracted=ROWS),
        decision=DecisionNote(
            outcome="allow_with_warning", reason=None, warning="the end of the convention is not stated"
        ),
        destroy_by=DestroyBy(
            date="2026-09-01",
            basis="hub_policy",
            article="7",
            arithmetic=Bilingual(fr="1er juillet 2026 + 2 mois", en="1 July 2026 + 2 months"),
        ),
        spreadsheet_formulas=False,
        trail=Trail(origin="passerelle.example/trail", size=41),
    )
    return replace(facts, **changes)  # type: ignore[arg-type]


def proof_of(manifest: bytes) -> bytes:
    """A stand-in for the trail's proof: the trail is above this floor."""
    return b"proof of " + str(len(manifest)).encode() + b"\n"


def check_proof(manifest: bytes, proof: bytes) -> None:
    """Raise unless ``proof_of`` made ``proof``."""
    if proof != proof_of(manifest):
        raise TrailError("the proof is of another manifest")


@dataclass(frozen=True)
class Made:
    """A finished parcel and the keys around it."""

    path: Path
    facts: Facts
    sealed: Sealed
    signing: Ed25519PrivateKey
    recipient: Identity
    release: Identity | None

    @property
    def trust(self) -> Trust:
        return Trust((Signer(self.signing.public_key()),), check_proof)

    @property
    def allowed_signers(self) -> str:
        return allowed_signers(self.signing.public_key())


Maker = Callable[..., Made]


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    """Makes a parcel of ``plain`` with one lock or two."""

    def made(plain: bytes = CSV, *, locks: int = 1, name: str = "extract.csv", **changes: object) -> Made:
        recipient, release = Identity.generate(), Identity.generate() if locks == 2 else None
        facts, path = make_facts(**(RETURNED if name == "verdicts.csv" else {}) | changes), tmp_path / "parcel.tar"
        sealer = Sealer(path, CREATED)
        with sealer.extract(name, [recipient.recipient], release.recipient if release else None) as sink:
            sink.write(plain)
        assert sealer.sealed is not None
        texts = notices(facts, sealer.sealed)
        if name == "verdicts.csv":
            texts |= {"report.json": b"{}", "report.html": b"<!DOCTYPE html>"}
        manifest = build_manifest(facts, sealer.sealed, notice_hashes(texts))
        signing = Ed25519PrivateKey.generate()
        sealer.finish(manifest, sign(manifest, signing), proof_of(manifest), texts)
        return Made(path, facts, sealer.sealed, signing, recipient, release)

    return made
