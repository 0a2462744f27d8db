"""The demo: two real conventions, partners and people who do not exist, a pretended clock, the real engine throughout.

Each step is one line of a timeline that a DPO can read. The exchanges run as Prefect flows on one embedded server.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from contracts.samples import sample
from flows import assembly
from flows.embedded import prefect_server, run_exchange_flow
from passerelle.errors import EvidenceError, PasserelleError, RefusedError, UsageError
from passerelle.handover.evidence import hand_release_key, trust_from
from passerelle.handover.order import Order
from passerelle.handover.recording import record_event
from passerelle.keys import Identity
from passerelle.parcel import open_parcel, verify
from passerelle.store import partners
from passerelle.trail.fsck import check
from passerelle.workspace import Settings, Workspace
from passerelle.workspace.files import write_whole
from portal.render import Screen, Text, Timeline, Tone, day, number
from retention.plan import plan
from retention.purge import purge

STEPS = 16
MARKER = "demo.txt"
REGION, MINISTRY = "region-paca", "mtfp"
PACA, CSP = "paca-pe-2016", "csp-ft-2024"
ENGINEER = Text("Ingénieure", "Engineer")
DPO = Text("DPO", "DPO")
CLOCK = Text("Planificateur", "Planner")


def play(home: Path, screen: Screen) -> None:
    """Play the whole story in ``home``, and leave the workspace to look into.

    Raises:
        UsageError: ``home`` holds something else than an earlier demo.
    """
    if home.exists() and not (home / MARKER).exists():
        raise UsageError("expected an empty place for the demo, found a folder", hint="passerelle demo --home FOLDER")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / MARKER).write_text("A demo of Passerelle; nobody in it exists.\n", "utf-8")
    os.environ["PASSERELLE_HOME"] = str(home / "workspace")
    began = time.monotonic()
    screen.heading(
        Text(
            "La vie de deux conventions, à l'heure d'une horloge simulée",
            "The life of two conventions, on a pretended clock",
        )
    )
    with screen.progress(Text("Démarrage du serveur de flux…", "Starting the flow server…")):
        server = prefect_server(home / "prefect")
        server.__enter__()
    try:
        story = Story(home, screen)
        story.studies_and_outcomes()
        story.recruitment_pool()
        story.end_and_purge()
    finally:
        server.__exit__(None, None, None)
        os.environ.pop("PASSERELLE_NOW", None)
    _closing(home, screen, time.monotonic() - began)


class Story:
    """The steps, and what each leaves for the next."""

    def __init__(self, home: Path, screen: Screen) -> None:
        self.home = home
        self.screen = screen
        self.line = Timeline(screen, STEPS, 14)
        self.identities: dict[str, Path] = {}
        self.parcel: Mapping[str, Any] = {}
        self._at("2016-03-15T09:00:00+01:00")
        Workspace.create(Settings.read(os.environ), rehearsal=True).close()

    def studies_and_outcomes(self) -> None:
        """2016 to 2020: a convention that is silent on personal data, and exchanges of figures."""
        self._refused(
            f"{PACA}/studies",
            "studies_bmo",
            "2016",
            20,
            Text("envoie une étude à la Région", "sends a study to the Region"),
        )
        self._event("2016-03-31T10:00:00+02:00", Text("Signataires", "Signatories"), PACA, "signed", {"on": "2016-03-31"}, Text("signent la convention PACA — Pôle emploi", "sign the convention PACA — Pôle emploi"))  # fmt: skip
        self._partner("2016-04-04T10:00:00+02:00", REGION)
        self._exchange("2019-06-03T06:00:00+02:00", f"{PACA}/studies", "studies_bmo", "2019", 20_000, Text("échange des études (enquête BMO)", "exchanges studies (BMO survey)"))  # fmt: skip
        self._exchange("2019-09-02T06:00:00+02:00", f"{PACA}/training-outcomes", "training_outcomes", "2018", 400, Text("échange des résultats de formation", "exchanges training outcomes"))  # fmt: skip
        self._purge("2020-02-28T05:00:00+01:00", PACA)

    def recruitment_pool(self) -> None:
        """2025: a convention with a data clause, whose pools of candidates wait for an agreement."""
        self._at("2025-04-14T09:00:00+02:00")
        self._refused(f"{CSP}/candidate-pools", "candidate_pool", "2025-04", 20, Text("envoie un vivier de candidats au ministère", "sends a pool of candidates to the ministry"))  # fmt: skip
        with self._step("2025-05-05T10:00:00+02:00", DPO, Text("dépose l'accord, l'évaluation et la fiche de traitement", "files agreement, assessment and processing record")) as ended:  # fmt: skip
            for kind, what in (
                ("instrument_recorded", "candidate-pool-agreement"),
                ("instrument_recorded", "security-measures-agreement"),
                ("precondition_recorded", "sensitivity-assessment"),
                ("precondition_recorded", "processing-record"),
            ):
                payload = {"id": what, "on": "2025-05-05"}
                if what == "processing-record":
                    payload["exchange"] = "candidate-pools"
                self._record(CSP, kind, payload)
            ended(Text("quatre pièces au dossier", "four documents on file"))
        self._partner("2025-05-06T10:00:00+02:00", MINISTRY)
        self.parcel = self._exchange("2025-05-12T06:00:00+02:00", f"{CSP}/candidate-pools", "candidate_pool", "2025-05", 5_000, Text("échange le vivier de candidats", "exchanges the pool of candidates"), 0.004)  # fmt: skip
        self._open_parcel()
        self._verify_trail("2025-05-14T14:00:00+02:00")

    def end_and_purge(self) -> None:
        """A party terminates; exchanges stop; two months later nothing opens any more."""
        letter = {"by": "cheops", "form": "registered_letter_ar", "received_on": "2025-06-10"}
        self._event("2025-06-10T11:00:00+02:00", Text("Cheops", "Cheops"), CSP, "termination_letter", letter, Text("résilie par lettre recommandée", "terminates by registered letter"))  # fmt: skip
        self._at("2025-08-11T06:00:00+02:00")
        self._refused(
            f"{CSP}/candidate-pools",
            "candidate_pool",
            "2025-08",
            20,
            Text("tente un nouvel envoi", "tries to send again"),
        )
        self._purge("2025-10-10T05:00:00+02:00", CSP)
        self._try_again()
        self._verify_trail("2025-10-13T09:00:00+02:00")

    def _at(self, instant: str) -> datetime:
        os.environ["PASSERELLE_NOW"] = instant
        self.now = datetime.fromisoformat(instant)
        return self.now

    def _open(self) -> Workspace:
        return Workspace.open(Settings.read(os.environ))

    def _step(self, instant: str, who: Text, what: Text) -> Any:
        return self.line.step(self._at(instant).date(), who, what)

    def _record(self, convention: str, kind: str, payload: Mapping[str, Any]) -> None:
        workspace = self._open()
        record_event(workspace, convention, kind, payload, by="demo")
        workspace.close()

    def _event(
        self, instant: str, who: Text, convention: str, kind: str, payload: Mapping[str, Any], what: Text
    ) -> None:
        with self._step(instant, who, what) as ended:
            self._record(convention, kind, payload)
            ended(Text("consigné", "recorded"))

    def _partner(self, instant: str, party: str) -> None:
        what = Text("inscrit sa clé ; deux personnes l'approuvent", "enrols its key; two people approve it")
        with self._step(instant, Text(party, party), what) as ended:
            identity = Identity.generate()
            self.identities[party] = self.home / "partners" / party / "identity.txt"
            write_whole(self.identities[party], (identity.secret + "\n").encode())
            key = identity.recipient
            workspace = self._open()
            with workspace.database.begin() as connection:
                at, facts = workspace.now(), {"kind": key.kind, "recipient": key.text, "fingerprint": key.fingerprint}
                partners.add(connection, party, party, str(self.home / "partners" / party / "parcels"), at=at)
                partners.enrol(connection, party, by="partner", at=at, **facts)
                partners.approve(connection, key.fingerprint, by="first", at=at)
                partners.approve(connection, key.fingerprint, by="second", at=at)
                body = {"party": party, "fingerprint": key.fingerprint, "approvals": 2}
                workspace.append(connection, "partner_key_approved", body)
            workspace.close()
            ended(Text(key.fingerprint, key.fingerprint))

    def _order(self, which: str, dataset: str, period: str, rows: int, bad_rate: float = 0.0) -> str:
        convention, _, exchange = which.partition("/")
        inbox = self.home / "workspace" / "inbox" / convention / exchange / period
        inbox.mkdir(parents=True, exist_ok=True)
        source = inbox / "sample.csv"
        with source.open("wb") as file:
            file.writelines(sample(dataset, rows, bad_rate, seed=rows))
        workspace = self._open()
        order = assembly.place_order(workspace, Order(convention, exchange, period, source))
        workspace.close()
        return order

    def _refused(self, which: str, dataset: str, period: str, rows: int, what: Text) -> None:
        with self.line.step(self.now.date(), ENGINEER, what) as ended:
            order = self._order(which, dataset, period, rows)
            try:
                run_exchange_flow(None, order)
            except RefusedError as refusal:
                ended(Text(f"refusé : {refusal.message}", f"refused: {refusal.message}"), Tone.REFUSED)
            else:
                raise UsageError("the demo's refusal did not happen", hint="report this to the maintainers")
            shutil.rmtree(self.home / "workspace" / "inbox" / which.partition("/")[0])

    def _exchange(
        self, instant: str, which: str, dataset: str, period: str, rows: int, what: Text, bad_rate: float = 0.0
    ) -> Mapping[str, Any]:
        with self._step(instant, ENGINEER, what) as ended:
            outcome = run_exchange_flow(None, self._order(which, dataset, period, rows, bad_rate))
            counts, lang = outcome["counts"], self.screen.lang
            read, sent = number(counts["read"], lang), number(counts["extracted"], lang)
            ended(Text(f"{read} lignes lues, {sent} livrées à {outcome['deliveries'][0]['recipient']}", f"{read} rows read, {sent} delivered to {outcome['deliveries'][0]['recipient']}"))  # fmt: skip
            if counts["rejected"]:
                rejected = number(counts["rejected"], lang)
                ended(Text(f"{rejected} lignes rejetées, mises en quarantaine chiffrée", f"{rejected} rows rejected, in encrypted quarantine"), Tone.WARNED)  # fmt: skip
            if counts.get("withheld"):
                withheld = number(counts["withheld"], lang)
                ended(Text(f"{withheld} valeurs retenues au titre du secret statistique", f"{withheld} figures withheld by disclosure control"), Tone.WARNED)  # fmt: skip
            deliveries: list[Mapping[str, Any]] = outcome["deliveries"]
            return deliveries[0]

    def _parcel_path(self) -> Path:
        return Path(self.parcel["location"])

    def _open_parcel(self) -> None:
        with self._step("2025-05-13T10:00:00+02:00", Text(MINISTRY, MINISTRY), Text("vérifie et ouvre son colis", "verifies and opens its parcel")) as ended:  # fmt: skip
            workspace = self._open()
            verified = verify(self._parcel_path(), trust_from(workspace.home / "trust", MINISTRY))
            ended(
                Text(
                    "signature, empreintes et inscription au journal vérifiées",
                    "signature, hashes and trail proof verified",
                )
            )
            release = hand_release_key(workspace, self.parcel["parcel"], MINISTRY, actor="demo")
            workspace.close()
            opened = open_parcel(
                verified.parcel, self._identity(), release, self.home / "partners" / MINISTRY / "opened"
            )
            ended(Text(f"second verrou demandé et consigné ; {number(opened.rows, self.screen.lang)} lignes ouvertes", f"second lock asked for, and logged; {number(opened.rows, self.screen.lang)} rows opened"))  # fmt: skip
            shutil.rmtree(opened.path.parent)

    def _identity(self) -> tuple[Identity, ...]:
        from passerelle.keys import read_identities

        return tuple(read_identities(self.identities[MINISTRY]))

    def _verify_trail(self, instant: str) -> None:
        with self._step(instant, DPO, Text("vérifie le journal", "verifies the trail")) as ended:
            workspace = self._open()
            with workspace.database.read() as connection:
                report = check(connection, workspace.ledger.verifier_key)
            workspace.close()
            ended(Text(f"intact : {report.size} écritures, {report.checkpoints} têtes signées", f"whole: {report.size} entries, {report.checkpoints} signed heads"))  # fmt: skip

    def _purge(self, instant: str, convention: str) -> None:
        with self._step(instant, CLOCK, Text(f"détruit ce qui est détenu au titre de {convention}", f"destroys what is held under {convention}")) as ended:  # fmt: skip
            workspace = self._open()
            with workspace.database.read() as connection:
                planned = plan(workspace, connection, convention)
            ended(Text(planned.deadline.arithmetic.fr, planned.deadline.arithmetic.en), Tone.FAINT)
            done = purge(workspace, convention)
            workspace.close()
            ended(Text(f"{len(planned.copies)} copies et leurs clés détruites ; certificat {done.id}", f"{len(planned.copies)} copies and their keys destroyed; certificate {done.id}"))  # fmt: skip

    def _try_again(self) -> None:
        with self._step("2025-10-10T10:00:00+02:00", Text(MINISTRY, MINISTRY), Text("tente de rouvrir sa copie scellée", "tries to open its sealed copy again")) as ended:  # fmt: skip
            workspace = self._open()
            try:
                hand_release_key(workspace, self.parcel["parcel"], MINISTRY, actor="demo")
            except RefusedError:
                ended(
                    Text("second verrou détruit avec la convention", "second lock destroyed with the convention"),
                    Tone.REFUSED,
                )
            trust = trust_from(workspace.home / "trust", MINISTRY)
            workspace.close()
            try:
                open_parcel(
                    verify(self._parcel_path(), trust).parcel,
                    self._identity(),
                    self._identity()[0],
                    self.home / "again",
                )
            except (EvidenceError, PasserelleError):
                ended(
                    Text("la copie est intacte, et ne s'ouvre plus", "the copy is whole, and no longer opens"),
                    Tone.REFUSED,
                )


def _closing(home: Path, screen: Screen, seconds: float) -> None:
    where = f"PASSERELLE_HOME={os.path.relpath(home / 'workspace')}"
    screen.heading(Text("À regarder ensuite", "To look at next"))
    for command in (
        f"purge certificate {CSP}",
        "trail show",
        f"convention show {CSP}",
        "exchange list",
    ):
        screen.say(f"  {where} .venv/bin/passerelle {command}")
    finished = day(datetime.now().astimezone().date(), screen.lang)
    screen.say()
    screen.say(
        Text(
            f"Démonstration jouée en {seconds:.0f} s, le {finished}.", f"Demo played in {seconds:.0f} s, on {finished}."
        ),
        Tone.FAINT,
    )
