"""The story, step by step: when, who, what they do; the act that carries it out with the real engine."""

from __future__ import annotations

from dataclasses import dataclass

from portal.demo import acts
from portal.demo.acts import Act, Sent
from portal.render import Text

PACA, CSP = "paca-pe-2016", "csp-ft-2024"
POOLS = f"{CSP}/candidate-pools"
ENGINEER, DPO = Text("Ingénieure", "Engineer"), Text("DPO", "DPO")
PLANNER = Text("Planificateur", "Planner")
REGION, MINISTRY = Text("Région", "Region"), Text("Ministère", "Ministry")
ENROLS = Text("inscrit sa clé ; deux personnes l'approuvent", "enrols its key; two people approve it")
VERIFIES = Text("vérifie le registre de preuve", "verifies the trail")

STUDIES_2016 = Sent(f"{PACA}/studies", "studies_bmo", "2016", rows=20)
STUDIES_2019 = Sent(f"{PACA}/studies", "studies_bmo", "2019", rows=20_000)
OUTCOMES_2018 = Sent(f"{PACA}/training-outcomes", "training_outcomes", "2018", rows=400)
POOL_OF_APRIL = Sent(POOLS, "candidate_pool", "2025-04", rows=20)
POOL_OF_MAY = Sent(POOLS, "candidate_pool", "2025-05", rows=5_000, bad_rate=0.004)
POOL_OF_AUGUST = Sent(POOLS, "candidate_pool", "2025-08", rows=20)

SIGNED = acts.Told(PACA, "signed", {"on": "2016-03-31"})
LETTER = acts.Told(
    CSP, "termination_letter", {"by": "cheops", "form": "registered_letter_ar", "received_on": "2025-06-10"}
)
FILED = (
    acts.Told(CSP, "instrument_recorded", {"id": "candidate-pool-agreement", "on": "2025-05-05"}),
    acts.Told(CSP, "instrument_recorded", {"id": "security-measures-agreement", "on": "2025-05-05"}),
    acts.Told(CSP, "precondition_recorded", {"id": "sensitivity-assessment", "on": "2025-05-05"}),
    acts.Told(CSP, "precondition_recorded", {"id": "processing-record", "exchange": "candidate-pools", "on": "2025-05-05"}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline: at an instant, someone does something."""

    at: str
    who: Text
    what: Text
    act: Act


STORY = (
    # 2016 to 2020: a convention that says little of personal data, and exchanges of figures.
    Step("2016-03-15T09:00:00+01:00", ENGINEER, Text("envoie une étude à la Région", "sends a study to the Region"), acts.refused(STUDIES_2016)),
    Step("2016-03-31T10:00:00+02:00", Text("Signataires", "Signatories"), Text("signent la convention de la Région et de Pôle emploi", "sign the convention of the Region and Pôle emploi"), acts.recorded(SIGNED)),
    Step("2016-04-04T10:00:00+02:00", REGION, ENROLS, acts.enrolled("region-paca")),
    Step("2019-06-03T06:00:00+02:00", ENGINEER, Text("échange des études (enquête BMO)", "exchanges studies (BMO survey)"), acts.exchanged(STUDIES_2019)),
    Step("2019-09-02T06:00:00+02:00", ENGINEER, Text("échange des résultats de formation", "exchanges training outcomes"), acts.exchanged(OUTCOMES_2018)),
    Step("2020-02-28T05:00:00+01:00", PLANNER, Text(f"détruit ce qui est détenu au titre de {PACA}", f"destroys what is held under {PACA}"), acts.purged(PACA)),
    # 2025: a convention with a data clause, whose pools of candidates wait for an agreement.
    Step("2025-04-14T09:00:00+02:00", ENGINEER, Text("envoie un vivier de candidats au ministère", "sends a pool of candidates to the ministry"), acts.refused(POOL_OF_APRIL)),
    Step("2025-05-05T10:00:00+02:00", DPO, Text("dépose les accords, l'évaluation et la fiche de traitement", "files agreements, assessment and processing record"), acts.recorded(*FILED)),
    Step("2025-05-06T10:00:00+02:00", MINISTRY, ENROLS, acts.enrolled("mtfp")),
    Step("2025-05-12T06:00:00+02:00", ENGINEER, Text("échange le vivier de candidats", "exchanges the pool of candidates"), acts.exchanged(POOL_OF_MAY)),
    Step("2025-05-13T10:00:00+02:00", MINISTRY, Text("vérifie et ouvre son colis", "verifies and opens its parcel"), acts.opened("mtfp")),
    Step("2025-05-14T14:00:00+02:00", DPO, Text("vérifie le registre ; qui a reçu des données ?", "verifies the trail; who received data?"), acts.audited(who_received=True)),
    # A party terminates; exchanges stop; two months later nothing opens any more.
    Step("2025-06-10T11:00:00+02:00", Text("Cheops", "Cheops"), Text("résilie par lettre recommandée", "terminates by registered letter"), acts.recorded(LETTER)),
    Step("2025-08-11T06:00:00+02:00", ENGINEER, Text("tente un nouvel envoi", "tries to send again"), acts.refused(POOL_OF_AUGUST)),
    Step("2025-10-10T05:00:00+02:00", PLANNER, Text(f"détruit ce qui est détenu au titre de {CSP}", f"destroys what is held under {CSP}"), acts.purged(CSP)),
    Step("2025-10-10T10:00:00+02:00", MINISTRY, Text("tente de rouvrir sa copie scellée", "tries to open its sealed copy again"), acts.shut("mtfp")),
    Step("2025-10-13T09:00:00+02:00", DPO, VERIFIES, acts.audited()),
)  # fmt: skip
