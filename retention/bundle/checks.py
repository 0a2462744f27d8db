"""What the checker of an auditor's bundle looks at: python3 -I -S verify.py [FOLDER] [--trust FOLDER] [--lang fr|en] [--json].

The second half of the script that travels in the bundle (docs/spec/bundle.md): Python 3.9 or later, no package, no network.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from retention.bundle.proving import (
    BUNDLE,
    MISSING,
    UNREADABLE,
    Absent,
    Concerns,
    Fault,
    Held,
    Trail,
    bundled,
    canonical,
    continues,
    fingerprint,
    frontier_root,
    grown,
    included,
    leaf_hash,
    sshsig,
    tile,
)


class Bundle:
    """One folder, and each thing that is checked of it, in order."""

    def __init__(self, folder: Path, trust: Path | None) -> None:
        self.folder, self.trust = folder, trust or folder / "trust"
        self.about: dict[str, Any] = {}
        self.entries: dict[int, dict[str, Any]] = {}

    def read(self, path: str) -> bytes:
        """The bytes of one file."""
        return (self.folder / path).read_bytes()

    def json(self, name: str) -> Any:
        """One document of the evidence."""
        return json.loads(self.read(f"evidence/{name}.json"))

    def of(self, *kinds: str) -> Iterator[dict[str, Any]]:
        """The bodies of the proven entries of some kinds, with ``at`` and ``index``."""
        for index, one in self.entries.items():
            if one["kind"] in kinds:
                yield {**one["body"], "at": one["at"], "index": index, "kind": one["kind"]}

    def signers(self, namespace: str, at: str) -> list[bytes]:
        """The gateway's keys that signed in ``namespace`` at an instant (ssh-keygen(1), ALLOWED SIGNERS)."""
        found = []
        for line in (self.trust / "allowed_signers").read_text("utf-8").splitlines():
            match = re.fullmatch(
                r'passerelle namespaces="([a-z-]+)"(?:,valid-before="([0-9]{14}Z)")? ssh-ed25519 (\S+)', line
            )
            if match and match[1] == namespace and (not match[2] or re.sub("[-:T]", "", at) < match[2]):
                found.append(base64.b64decode(match[3]))
        return found

    def files(self) -> Held:
        """Every file of the folder is listed with its hash, and nothing else lies in it."""
        listed = {}
        for line in self.read("SHA256SUMS").decode("utf-8").split("\n")[:-1]:
            found = re.fullmatch(r"([0-9a-f]{64})  ((?!.*\.\.)[A-Za-z0-9@._/-]+)", line)
            if not found or found[2] in listed:
                raise Fault("SHA256SUMS n'a pas la forme attendue", "SHA256SUMS is not of the expected form")
            listed[found[2]] = found[1]
        there = {
            path.relative_to(self.folder).as_posix()
            for path in self.folder.rglob("*")
            if not path.is_dir() or path.is_symlink()
        }
        if odd := sorted((there - {"SHA256SUMS", "SHA256SUMS.sig"}) ^ listed.keys()):
            raise Fault(f"fichier manquant, ou de trop : {odd[0]}", f"a file is missing, or one too many: {odd[0]}")
        for name, expected in listed.items():
            digest = hashlib.sha256()
            with (self.folder / name).open("rb") as file:
                for chunk in iter(lambda: file.read(1 << 20), b""):
                    digest.update(chunk)
            if digest.hexdigest() != expected or (self.folder / name).is_symlink():
                raise Fault(f"fichier modifié : {name}", f"an altered file: {name}")
        return Held(
            f"{len(listed)} fichiers, aucun modifié, ajouté ni retiré",
            f"{len(listed)} files, none altered, added or removed",
        )

    def signature(self) -> Held:
        """The list of files is signed by the gateway."""
        self.about = json.loads(self.read("bundle.json"))
        keys = self.signers("passerelle-bundle", self.about["made_at"])
        key = sshsig(self.read("SHA256SUMS"), self.read("SHA256SUMS.sig"), keys, "passerelle-bundle")
        own = fingerprint(key)
        return Held(
            f"la liste des fichiers est signée par la clé {own}", f"the list of files is signed by the key {own}"
        )

    def proofs(self) -> Held:
        """Each entry shown is in the tree of the signed head."""
        self.trail = Trail((self.trust / "trail.vkey").read_text("utf-8"))
        note = self.read("trail/checkpoint").decode("utf-8")
        self.size, self.root, at = self.trail.opened(note)
        for line in self.read("evidence/entries.jsonl").decode("utf-8").split("\n")[:-1]:
            one = json.loads(line)
            self.entries[one["index"]] = one
        for index, one in self.entries.items():
            leaf = canonical({"at": one["at"], "body": one["body"], "kind": one["kind"]})
            proof = self.read(f"trail/proofs/{index // 1000:04d}/{index:06d}.tlog-proof").decode("utf-8")
            head, _, checkpoint = proof.partition("\n\n")
            title, extra, number, *path = head.split("\n")
            told = (title, extra, number, checkpoint)
            expected = ("c2sp.org/tlog-proof@v1", f"extra {base64.b64encode(leaf).decode()}", f"index {index}", note)
            if (
                told != expected
                or included(index, self.size, [base64.b64decode(p) for p in path], leaf_hash(leaf)) != self.root
            ):
                raise Fault(f"l'écriture {index} n'est pas prouvée", f"entry {index} is not proven")
        if self.about["trail"] != {
            "origin": self.trail.name,
            "root": base64.b64encode(self.root).decode(),
            "size": self.size,
        }:
            raise Fault("bundle.json parle d'un autre jalon", "bundle.json speaks of another head")
        moment = datetime.fromtimestamp(at, timezone.utc)  # noqa: UP017 -- the script runs on Python 3.9 too
        when = f"{moment:%Y-%m-%d %H:%M} UTC"
        return Held(
            f"{len(self.entries)} écritures du registre prouvées, sous le jalon signé le {when}",
            f"{len(self.entries)} entries of the trail proven, under the head signed on {when}",
        )

    def trail_whole(self) -> Held:
        """The whole trail gives the signed root, and none of its entries about this convention was left out."""
        if not self.about["whole_trail"]:
            raise Absent(
                "le reste du registre n'est pas joint : rien ne dit qu'aucune écriture de cette convention ne manque",
                "the rest of the trail is not enclosed: nothing says that no entry of this convention is missing",
            )
        concerns, count = Concerns(self.about), 0
        frontier: list[bytes] = []
        for leaf in self._leaves():
            concerns.learns(json.loads(leaf))
        for leaf in self._leaves():
            grown(frontier, count, leaf_hash(leaf))
            if concerns.takes(json.loads(leaf)) != (count in self.entries):
                raise Fault(f"l'écriture {count} manque, ou est de trop", f"entry {count} is missing, or one too many")
            count += 1
        if count != self.size or frontier_root(frontier) != self.root:
            raise Fault(
                "le registre joint ne donne pas le jalon signé", "the trail enclosed does not give the signed head"
            )
        return Held(
            f"le registre entier ({count} écritures) donne ce jalon ; aucune écriture de la convention n'a été omise",
            f"the whole trail ({count} entries) gives this head; no entry about the convention was left out",
        )

    def _leaves(self) -> Iterator[bytes]:
        for start in range(0, self.size, BUNDLE):
            yield from bundled(self.read(tile(start // BUNDLE, min(BUNDLE, self.size - start))))

    def heads(self) -> Held:
        """Each head signed along the way is continued by the last one: nothing was rewritten in between."""
        count = 0
        for line in self.read("trail/heads.jsonl").decode("utf-8").split("\n")[:-1]:
            one = json.loads(line)
            size, root, _ = self.trail.opened(one["note"])
            path = [base64.b64decode(item) for item in one["consistency"]]
            if size > self.size or continues(size, self.size, root, path) != self.root:
                raise Fault(
                    f"le jalon de {size} écritures a été réécrit", f"the head over {size} entries was rewritten"
                )
            count += 1
        return Held(
            f"{count} jalons signés au fil du temps, tous continués par le dernier",
            f"{count} heads signed over time, all continued by the last one",
        )

    def convention(self) -> Held:
        """The text enclosed is the one that the gate goes by."""
        told = {one["convention_sha256"] for one in self.of("convention_loaded", "convention_approved", "decision")}
        sha256 = hashlib.sha256(self.read(f"evidence/conventions/{self.about['convention']}.yaml")).hexdigest()
        if sha256 != self.json("convention")["sha256"] or (
            told and sha256 not in told and self.json("approvals")["accepted"]
        ):
            raise Fault(
                "le texte de la convention n'est pas celui du registre", "the convention's text is not the trail's"
            )
        return Held(
            f"le texte de la convention est celui d'empreinte {sha256}", f"the convention's text has the hash {sha256}"
        )

    def record(self) -> Held:
        """Each event on record is the one that the trail tells."""
        told = {one["event_id"]: one for one in self.of("event_recorded")}
        events = self.json("record")
        for one in events:
            known = told.pop(one["id"], {})
            payload = hashlib.sha256(canonical({"payload": one["payload"], "type": one["type"]})).hexdigest()
            if not known or (not one["withheld"] and payload != known.get("payload_sha256")):
                raise Fault(
                    f"l'événement {one['id']} n'est pas celui du registre", f"event {one['id']} is not the trail's"
                )
        if told:
            raise Fault(f"l'événement {min(told)} manque", f"event {min(told)} is missing")
        return Held(
            f"{len(events)} événements consignés, tels que le registre les dit",
            f"{len(events)} events on record, as the trail tells them",
        )

    def deliveries(self) -> Held:
        """Each delivery has its intent and its decisions in the trail, its manifest its hash, and no number is missing."""
        intents = {one["parcel"]: one for one in self.of("delivery_intent", "sealed_intent")}
        done = {one["delivery"] for one in self.of("delivered")}
        decided = [one for one in self.of("decision") if one["stage"] == "delivery"]
        listed = self.json("deliveries")
        numbers: dict[tuple[str, str], list[int]] = {}
        for one in listed:
            intent = intents.get(one["parcel"], {})
            same = all(
                intent.get(name) == one[name] for name in ("manifest_sha256", "recipient", "sequence", "exchange")
            )
            before = [
                d["outcome"]
                for d in decided
                if same and d["exchange"] == one["exchange"] and d["index"] < intent["index"]
            ]
            if one["parcel"] not in done or before[-1:] in ([], ["block"]):
                raise Fault(
                    f"la remise {one['parcel']} n'est pas celle du registre",
                    f"delivery {one['parcel']} is not the trail's",
                )
            if one["manifest"] and hashlib.sha256(self.read(one["manifest"])).hexdigest() != one["manifest_sha256"]:
                raise Fault(
                    f"le bordereau de {one['parcel']} est un autre", f"the manifest of {one['parcel']} is another"
                )
            numbers.setdefault((one["exchange"], one["recipient"]), []).append(one["sequence"])
        if done != {one["parcel"] for one in listed}:
            raise Fault("une remise du registre manque à la liste", "a delivery of the trail is missing from the list")
        if any(sorted(seen) != list(range(1, len(seen) + 1)) for seen in numbers.values()):
            raise Fault("un numéro d'envoi manque", "a sequence number is missing")
        return Held(
            f"{len(listed)} remises, chacune décidée avant de partir, numérotées sans trou",
            f"{len(listed)} deliveries, each decided before it left, numbered without a gap",
        )

    def keys(self) -> Held:
        """Each approved key of a partner was approved by two people, as the trail tells."""
        told = {one["fingerprint"]: one["approvals"] for one in self.of("partner_key_approved")}
        known = [one for one in self.json("keys")["partners"] if one["approvals"]]
        for one in known:
            if told and told.get(one["fingerprint"]) != len(one["approvals"]):
                raise Fault(
                    f"la clé {one['fingerprint']} n'est pas celle du registre",
                    f"the key {one['fingerprint']} is not the trail's",
                )
        return Held(f"{len(known)} clés de partenaires approuvées", f"{len(known)} keys of partners approved")

    def receipts(self) -> Held:
        """Each receipt is signed by a key of its recipient, and in the trail."""
        for line, one in self._by_partners("receipt"):
            if line["manifest_sha256"] != one["manifest_sha256"]:
                raise Fault("un accusé est celui d'un autre envoi", "a receipt is of another delivery")
        count = sum(1 for _ in self.of("receipt_recorded"))
        return Held(
            f"{count} accusés de réception, signés par leurs destinataires",
            f"{count} receipts, signed by their recipients",
        )

    def attestations(self) -> Held:
        """Each attestation of destruction is signed by a key of its party, and in the trail."""
        count = 0
        for line, one in self._by_partners("attestation"):
            if (line["request"], line["party"]) != (one["request"], one["party"]):
                raise Fault("une attestation répond à une autre demande", "an attestation answers another request")
            count += 1
        return Held(
            f"{count} attestations de destruction, signées par des partenaires",
            f"{count} attestations of destruction, signed by partners",
        )

    def _by_partners(self, what: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """What partners signed, each line with its entry, once hash and signature hold."""
        keys = {one["fingerprint"]: one["public"] for one in self.json("keys")["partners"]}
        approved = {one["fingerprint"] for one in self.of("partner_key_approved")}
        for one in self.of(f"{what}_recorded"):
            sha256 = one[f"{what}_sha256"]
            data = self.read(f"evidence/{what}s/{sha256}.{what}")
            line, _, armored = data.partition(b"\n")
            blob = base64.b64decode(keys[one["fingerprint"]].split(" ")[1])
            if not (own := fingerprint(blob)) == one["fingerprint"] in approved:
                raise Fault(f"la clé {own} n'est pas celle du registre", f"the key {own} is not the trail's")
            sshsig(line + b"\n", armored, [blob], f"passerelle-{what}")
            if hashlib.sha256(data).hexdigest() != sha256:
                raise Fault(f"la pièce {sha256} n'est pas celle du registre", f"the piece {sha256} is not the trail's")
            yield json.loads(line), one

    def certificates(self) -> Held:
        """Each certificate of destruction is signed, and in the trail."""
        told = {one["purge"]: one["certificate_sha256"] for one in self.of("purge_certificate")}
        for purge, sha256 in told.items():
            data = self.read(f"evidence/certificates/{purge}.json")
            at = json.loads(data)["completed_at"]
            signature = self.read(f"evidence/certificates/{purge}.json.sig")
            sshsig(data, signature, self.signers("passerelle-certificate", at), "passerelle-certificate")
            if hashlib.sha256(data).hexdigest() != sha256:
                raise Fault(
                    f"le certificat {purge} n'est pas celui du registre", f"certificate {purge} is not the trail's"
                )
        return Held(
            f"{len(told)} certificats de destruction, signés", f"{len(told)} certificates of destruction, signed"
        )

    def figures(self) -> Held:
        """The figures of the summary are those that the proven entries give."""
        kinds: dict[str, int] = {}
        for one in self.entries.values():
            kinds[one["kind"]] = kinds.get(one["kind"], 0) + 1
        refused = sum(one["outcome"] == "block" for one in self.of("decision"))
        rows = sum(one["rows"] for one in self.json("deliveries"))
        expected = {
            "entries": len(self.entries),
            "deliveries": kinds.get("delivered", 0),
            "rows": rows,
            "refusals": refused,
        }
        if {name: self.about["figures"][name] for name in expected} != expected or self.about["kinds"] != kinds:
            raise Fault("les chiffres de la synthèse sont autres", "the figures of the summary are others")
        return Held(
            "les chiffres de la synthèse sont ceux des écritures prouvées",
            "the figures of the summary are those of the proven entries",
        )


CHECKS = (
    "files", "signature", "proofs", "trail_whole", "heads", "convention", "record", "deliveries", "keys", "receipts",
    "attestations", "certificates", "figures",
)  # fmt: skip


def examined(folder: Path, trust: Path | None = None) -> list[dict[str, Any]]:
    """Each check with ``state`` (held, absent or broken) and its words; after a broken one of the first three, no other is made."""
    bundle, found = Bundle(folder, trust), []
    for name in CHECKS:
        state = "held"
        try:
            words: Any = getattr(bundle, name)()
        except Absent as fault:
            state, words = "absent", fault
        except Fault as fault:
            state, words = "broken", fault
        except UNREADABLE:
            state, words = "broken", MISSING
        found.append({"check": name, "state": state, "fr": words.fr, "en": words.en})
        if state == "broken" and name in CHECKS[:3]:
            break
    return found


def main(arguments: Sequence[str]) -> int:
    """Check a bundle and say what holds; 0 when all does, 1 otherwise."""
    parser = argparse.ArgumentParser(description="Vérifie un dossier d'audit / checks an auditor's bundle.")
    parser.add_argument("folder", nargs="?", default=str(Path(sys.argv[0]).resolve().parent))
    parser.add_argument("--trust", help="allowed_signers, trail.vkey")
    parser.add_argument("--lang", choices=("fr", "en"), default="fr")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    found = examined(Path(given.folder), Path(given.trust) if given.trust else None)
    holds = all(one["state"] != "broken" for one in found)
    if given.json:
        sys.stdout.write(json.dumps({"holds": holds, "checks": found}, ensure_ascii=False, indent=2) + "\n")
        return 0 if holds else 1
    signs = {"held": "[ok] ", "absent": "[ - ]", "broken": "[!!!]"}
    lines = [f"{signs[one['state']]} {one[given.lang]}" for one in found]
    lines.append("")
    verdict = {
        "fr": ("Le dossier tient.", "LE DOSSIER NE TIENT PAS."),
        "en": ("The bundle holds.", "THE BUNDLE DOES NOT HOLD."),
    }
    lines.append(verdict[given.lang][0 if holds else 1])
    if not given.trust:
        own = {
            "fr": "Les clés sont celles du dossier : comparez l'empreinte ci-dessus à celle que vous tenez de la passerelle par une autre voie,\nou donnez vos propres fichiers par --trust.",
            "en": "The keys are those of the folder: compare the fingerprint above with the one the gateway gave you by another way,\nor give your own files with --trust.",
        }
        lines.append(own[given.lang])
    sys.stdout.buffer.write(("\n".join(lines) + "\n").encode())
    return 0 if holds else 1
