"""What those who receive and those who audit hold: trust in a parcel, the second lock's key, what a partner's key could open."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection

from passerelle.access import Look, refusing, write_in
from passerelle.errors import KeyStoreError, RefusedError, TrailError, UsageError
from passerelle.handover.earlier import superseded
from passerelle.handover.job import release_location
from passerelle.keys import CopyKey, Identity, parse_allowed_signers
from passerelle.parcel import Manifest, Trust, parse_manifest
from passerelle.store import holdings, links, partners, runs
from passerelle.store.runs import Delivery
from passerelle.trail import Proven, verify_entry
from passerelle.workspace import Workspace

INTENTS = frozenset({"delivery_intent", "sealed_intent", "verdicts_intent"})
MAX_TRUST_BYTES = 1024 * 1024
SIGNATURE_LINE = "\n— ".encode()
SIGNATURES = 2  # ours: others' would go unverified here, and bytes that nobody verifies are not handed over


def trusted(folder: Path) -> tuple[str, str]:
    """The two files that the gateway hands over once, by a second channel: ``allowed_signers``, and the trail's verifier key.

    Raises:
        UsageError: one of them is not in ``folder``.
    """
    signers, trail = folder / "allowed_signers", folder / "trail.vkey"
    if not (signers.is_file() and trail.is_file()):
        raise UsageError(
            "expected a folder with allowed_signers and trail.vkey",
            hint="--trust names it; the gateway hands both over once",
            fr="il faut un dossier qui contienne allowed_signers et trail.vkey",
            hint_fr="--trust le désigne ; la passerelle remet les deux fichiers une fois pour toutes",
        )
    return _text(signers), _text(trail).strip()


def trust_from(folder: Path, recipient: str | None = None) -> Trust:
    """What a partner verifies parcels with.

    Raises:
        UsageError: ``allowed_signers`` or ``trail.vkey`` is not in ``folder``.
    """
    signers, verifier_key = trusted(folder)

    def in_the_trail(manifest: bytes, proof: bytes) -> None:
        proven = verify_entry(proof, verifier_key)
        if proven.entry.body.get("manifest_sha256") != hashlib.sha256(manifest).hexdigest():
            raise TrailError("the proof is of another manifest", where=f"entry {proven.index}")
        _check_told(proven, parse_manifest(manifest))
        if proven.checkpoint.at is None or proof.count(SIGNATURE_LINE) != SIGNATURES:
            raise TrailError(
                "expected the head signed twice by the trail's key, plain and timestamped", where="checkpoint"
            )

    return Trust(parse_allowed_signers(signers), in_the_trail, recipient)


def _text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_TRUST_BYTES + 1)
    with suppress(UnicodeDecodeError):
        if len(data) <= MAX_TRUST_BYTES:
            return data.decode("utf-8")
    raise UsageError(
        f"{path.name}: expected text in UTF-8, at most {MAX_TRUST_BYTES} bytes",
        hint="take the file as the gateway handed it over",
        fr=f"{path.name} : il faut un texte en UTF-8, d'au plus {MAX_TRUST_BYTES} octets",
        hint_fr="prenez le fichier tel que la passerelle l'a remis",
    )


def _check_told(proven: Proven, manifest: Manifest) -> None:
    """An intent that tells something else than its manifest would show one history to the trail, another to the recipient."""
    kind, body, terms = proven.entry.kind, proven.entry.body, manifest.passerelle
    if kind not in INTENTS:
        raise TrailError("expected the entry of an intent, another kind came", where=f"entry {proven.index}")
    said = {
        "parcel": manifest.name,
        "recipient": terms.recipient,
        "sequence": terms.sequence,
        "convention": terms.convention,
        "exchange": terms.exchange,
        "period": terms.period,
        "locks": len(terms.locks),
        "destroy_by": terms.destroy_by.date,
    }
    if wrong := [name for name, value in said.items() if body.get(name) not in {None, value}]:
        raise TrailError(f"the trail tells another {wrong[0]} than the manifest", where=f"entry {proven.index}")
    if terms.trail.origin != proven.checkpoint.origin:
        raise TrailError("the manifest names another trail than the proof's", where=f"entry {proven.index}")
    if (terms.trail.size or 0) > proven.index:
        raise TrailError("the trail was larger than this when the manifest was made", where=f"entry {proven.index}")


def hand_release_key(workspace: Workspace, parcel: str, party: str, *, actor: str, reason: str = "") -> Identity:
    """The release identity of a two-lock parcel, for its recipient; logged, a refusal too, and told in the trail.

    Raises:
        RefusedError: the parcel is not for this party, has one lock, was superseded, its second lock was destroyed, or
            every key that it is sealed to is revoked.
        KeyStoreError: it has two locks, and the file with the second one's key is missing.
    """
    look = Look(actor, "release_key", parcel, reason, partner=party, delivery=parcel)
    with refusing(workspace, look):
        return _hand_release_key(workspace, parcel, party, look)


def _hand_release_key(workspace: Workspace, parcel: str, party: str, look: Look) -> Identity:
    with workspace.database.read() as connection:
        found = runs.deliveries(connection, id=parcel, recipient=party, state="delivered")
    if not found:
        raise RefusedError(
            f"no parcel of that id was delivered to {party}",
            hint="the manifest's name is the parcel's id",
            fr=f"aucun colis de ce numéro n'a été remis à {party}",
            hint_fr="le numéro du colis est le « name » de son bordereau, manifest.json",
        )
    if found[0].convention in workspace.keys.destroyed():
        raise _destroyed(found[0].convention)
    wrapped = _wrapped_release(workspace, found[0])
    with workspace.database.begin() as connection:
        if (closed := links.superseding(connection, parcel)) is not None:
            raise superseded(closed)
        _insist_not_revoked(connection, found[0])
        identity = _key_of(workspace, found[0]).unwrap_release(wrapped, parcel)
        look.convention, look.exchange, look.run = found[0].convention, found[0].exchange, found[0].run
        write_in(connection, workspace, look)
        body = {"parcel": parcel, "party": party, "delivery": parcel, "convention": found[0].convention}
        workspace.append(connection, "release_key_handed", body)
        workspace.ledger.checkpoint(connection, workspace.now())
    return identity


def _insist_not_revoked(connection: Connection, delivery: Delivery) -> None:
    """Whoever holds a key that was revoked since must not open what its owner cannot be told from."""
    revoked = {key.fingerprint for key in partners.keys(connection, delivery.recipient) if key.revoked_at}
    *_, inner = parse_manifest(delivery.manifest).passerelle.locks
    if set(inner.fingerprints) <= revoked:
        raise RefusedError(
            "every key that this parcel is sealed to is revoked",
            hint=f"enrol a new key, then ask for it again: passerelle parcel resend {delivery.id} --reason key-replaced",
            fr="toutes les clés auxquelles ce colis est scellé sont révoquées",
            hint_fr=f"inscrivez une autre clé, puis demandez qu'on vous le renvoie : passerelle parcel resend {delivery.id} --reason key-replaced",
        )


def _key_of(workspace: Workspace, delivery: Delivery) -> CopyKey:
    return workspace.keys.copy_key(delivery.convention, release_location(delivery.id))


def _destroyed(convention: str) -> RefusedError:
    return RefusedError(
        "the second lock of this parcel was destroyed with its convention's data",
        hint=f"passerelle purge certificate {convention} tells when and why",
        fr="le second verrou de ce colis a été détruit avec les données de sa convention",
        hint_fr=f"passerelle purge certificate {convention} dit quand et pourquoi",
    )


def _wrapped_release(workspace: Workspace, delivery: Delivery) -> bytes:
    """The second lock's key of a parcel, wrapped; empty where it was destroyed because the parcel was superseded."""
    try:
        return workspace.path(release_location(delivery.id)).read_bytes()
    except FileNotFoundError:
        pass
    with workspace.database.read() as connection:
        if links.superseding(connection, delivery.id) is not None:
            return b""
        copies = holdings.all_of(connection, delivery.convention)
    if any(copy.destroyed_at for copy in copies if copy.location == release_location(delivery.id)):
        raise _destroyed(delivery.convention)
    if len(parse_manifest(delivery.manifest).passerelle.locks) == 1:
        raise RefusedError(
            "this parcel has one lock only: the recipient's key opens it",
            hint="passerelle parcel open",
            fr="ce colis n'a qu'un verrou : la clé du destinataire l'ouvre",
            hint_fr="passerelle parcel open",
        )
    raise KeyStoreError(
        "the file with this parcel's second lock is missing, and no record says that it was destroyed",
        where="releases",
        hint="restore the folder releases/ from a backup, or send the parcel again: passerelle parcel resend",
        fr="le fichier du second verrou de ce colis manque, et rien ne dit qu'il ait été détruit",
        hint_fr="restaurez le dossier releases/ d'une sauvegarde, ou renvoyez le colis : passerelle parcel resend",
    )
