"""LISEZMOI.txt and README.txt: how to check and open this very parcel with tools that every machine has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date

from passerelle.keys.ssh import MANIFEST_NAMESPACE, SIGNER
from passerelle.parcel import archive
from passerelle.parcel.facts import Facts, Sealed
from passerelle.parcel.notice_texts import (
    DATED,
    ENGLISH,
    FORMULAS,
    FRENCH,
    INSIDE,
    MONTHS,
    RELEASE,
    REPORTS,
    RESENDS,
    SUPERSEDES,
    UNDATED,
)
from passerelle.parcel.reasons import RESENDS as RESEND_REASONS
from passerelle.parcel.reasons import SUPERSEDES as SUPERSEDE_REASONS


def notices(facts: Facts, sealed: Sealed) -> dict[str, bytes]:
    """Both notices by member name, UTF-8. Nothing in them comes from a person's row."""
    french = FRENCH.format(
        title=facts.title.fr,
        purpose=facts.purpose.fr,
        arithmetic=facts.destroy_by.arithmetic.fr,
        **_blanks("fr", facts, sealed),
    )
    english = ENGLISH.format(
        title=facts.title.en,
        purpose=facts.purpose.en,
        arithmetic=facts.destroy_by.arithmetic.en,
        **_blanks("en", facts, sealed),
    )
    return {"LISEZMOI.txt": french.encode(), "README.txt": english.encode()}


def notice_hashes(texts: Mapping[str, bytes]) -> dict[str, str]:
    """``sha256:…`` of each notice, for the manifest."""
    return {name: "sha256:" + hashlib.sha256(text).hexdigest() for name, text in texts.items()}


def written_date(day: date, language: str) -> str:
    """``1er janvier 2026``, ``14 juillet 2026``; ``1 January 2026``."""
    first = "1er" if language == "fr" and day.day == 1 else str(day.day)
    return f"{first} {MONTHS[language][day.month - 1]} {day.year}"


def _blanks(language: str, facts: Facts, sealed: Sealed) -> dict[str, object]:
    two = len(sealed.locks) > 1
    names = {"parcel": facts.parcel, "recipient": facts.recipient}
    return {
        **names,
        "convention": facts.convention,
        "article": facts.article,
        "exchange": facts.exchange,
        "period": facts.period,
        "sender": facts.sender,
        "sequence": facts.sequence,
        "created": written_date(facts.created.date(), language),
        "sources": "; ".join(source.title for source in facts.sources),
        "rows": facts.counts.extracted,
        "earlier": _earlier(language, facts),
        "deadline": _deadline(language, facts),
        "verify": f"ssh-keygen -Y verify -f allowed_signers -I {SIGNER} -n {MANIFEST_NAMESPACE} "
        f"-s {archive.SIGNATURE} < {archive.MANIFEST}",
        "good": f'Good "{MANIFEST_NAMESPACE}" signature for {SIGNER}',
        "extract": sealed.name,
        "member": f"{sealed.name}.age",
        "inside": INSIDE[sealed.name.partition(".")[0]][language],
        "reports": REPORTS[language] if f"{sealed.name}.age" == archive.VERDICTS else "",
        "cipher_sha256": sealed.cipher_sha256,
        "plain_sha256": sealed.plain_sha256,
        "release": RELEASE[language].format(**names) if two else "",
        "open": _open_command(language, sealed, two=two),
        "formulas": FORMULAS[language] if facts.spreadsheet_formulas else "",
    }


def _earlier(language: str, facts: Facts) -> str:
    """What the parcel sends again or takes the place of; nothing for most."""
    place = ("fr", "en").index(language)
    if facts.resends is not None:
        reason = RESEND_REASONS[facts.resends.reason][place]
        return RESENDS[language].format(parcel=facts.resends.parcel, reason=reason)
    if facts.supersedes is not None:
        reason = SUPERSEDE_REASONS[facts.supersedes.reason][place]
        return SUPERSEDES[language].format(parcels=", ".join(facts.supersedes.parcels), reason=reason)
    return ""


def _deadline(language: str, facts: Facts) -> str:
    destroy_by = facts.destroy_by
    if destroy_by.date is None:
        return UNDATED[language]
    text = DATED[language].format(date=written_date(date.fromisoformat(destroy_by.date), language))
    return f"{text} ({destroy_by.article})" if destroy_by.article else text


def _open_command(language: str, sealed: Sealed, *, two: bool) -> str:
    key, release = ("ma-cle.txt", "cle-du-colis.txt") if language == "fr" else ("my-key.txt", "parcel-key.txt")
    if two:
        return f"age -d -i {release} {sealed.name}.age | age -d -i {key} -o {sealed.name}"
    return f"age -d -i {key} -o {sealed.name} {sealed.name}.age"
