"""Selection for a training: what the Region needs to choose, and its decisions with their reasons (PACA, art. 6)."""

from __future__ import annotations

from contracts.base import DataContract
from contracts.codes import FORMACODE_V14, ROME_460
from contracts.dialects import hub
from contracts.relations import absent_unless, required_when
from contracts.rules import Happened, Identifier, Length, OneOf, Pattern
from passerelle.contract import Column, Kind, PersonClass

DIRECT, INDIRECT = PersonClass.DIRECT, PersonClass.INDIRECT
LEVELS = ("3", "4", "5", "6", "7", "8", "sans")
"""Levels of the national framework of certifications (Code du travail, D. 6113-19), or none."""
REASONS = (
    "effectif_complet",
    "prerequis_non_atteints",
    "projet_a_consolider",
    "autre_parcours_propose",
    "absence_a_la_selection",
    "desistement",
)
"""Coded, so that no health, origin or opinion can be written as a reason (GDPR art. 9)."""

_SESSION = r"[0-9A-Za-z_/-]{1,40}"
_SESSION_FR = "1 à 40 lettres, chiffres, barres, tirets ou traits bas"
_SESSION_EN = "1 to 40 letters, digits, slashes, hyphens or underscores"
_PERSON = (
    Column(
        "identifiant_de",
        "Identifiant France Travail de la personne",
        "The person's France Travail identifier",
        Kind.CODE,
        DIRECT,
        identifier="france-travail",
    ),
    Column("id_session", "Session de formation", "Training session", Kind.CODE, INDIRECT),
)
_PERSON_RULES = (
    Identifier("identifiant_de", "france-travail"),
    Pattern("id_session", "id_session", _SESSION, _SESSION_FR, _SESSION_EN),
)

SELECTION_COLUMNS = (
    *_PERSON,
    Column("nom", "Nom", "Last name", Kind.TEXT, DIRECT),
    Column("prenom", "Prénom", "First name", Kind.TEXT, DIRECT),
    Column("intitule_formation", "Intitulé de la formation", "Course title"),
    Column("formacode", "Domaine de la formation", "Field of the training", Kind.CODE, codes=FORMACODE_V14),
    Column("rome_vise", "Métier visé", "Occupation aimed at", Kind.CODE, INDIRECT, codes=ROME_460),
    Column("niveau_formation", "Niveau de formation atteint", "Level of education reached", Kind.CODE, INDIRECT),
    Column("projet_valide", "Projet professionnel validé", "Professional project confirmed", Kind.BOOLEAN, INDIRECT),
    Column("avis_conseiller", "Avis du conseiller", "The adviser's opinion", Kind.CODE, INDIRECT),
    Column("prescrit_le", "Date de la prescription", "Date of the referral", Kind.DATE, INDIRECT),
)

TRAINING_SELECTION = DataContract(
    id="training_selection",
    version="1.0.0",
    title={"fr": "Candidatures à une formation", "en": "Applications to a training"},
    description={
        "fr": "Une ligne par personne qui demande à entrer dans une session : ce qu'il faut pour juger de l'opportunité, rien de plus.",
        "en": "One row for each person who asks to enter a session: what is needed to judge, and nothing more.",
    },
    columns=SELECTION_COLUMNS,
    rules=(
        *_PERSON_RULES,
        Length("nom", 1, 100),
        Length("prenom", 1, 100),
        Length("intitule_formation", 1, 255),
        Identifier("formacode", "formacode"),
        Identifier("rome_vise", "rome"),
        OneOf("niveau_formation", LEVELS),
        OneOf("avis_conseiller", ("favorable", "reserve", "defavorable")),
        Happened("prescrit_le"),
    ),
    unique=(("identifiant_de", "id_session"),),
    dialects=(hub(column.name for column in SELECTION_COLUMNS),),
)

DECISION_COLUMNS = (
    *_PERSON,
    Column("decision", "Décision", "Decision", Kind.CODE, INDIRECT),
    Column("motif_refus", "Motif du refus", "Reason of the refusal", Kind.CODE, INDIRECT, required=False),
    Column("decide_le", "Date de la décision", "Date of the decision", Kind.DATE, INDIRECT),
)

TRAINING_SELECTION_DECISIONS = DataContract(
    id="training_selection_decisions",
    version="1.0.0",
    title={"fr": "Décisions d'entrée en formation", "en": "Decisions on entry into training"},
    description={
        "fr": "Une ligne par personne et par session ; tout refus a son motif, pris dans une liste.",
        "en": "One row for each person and session; each refusal has its reason, taken from a list.",
    },
    columns=DECISION_COLUMNS,
    rules=(
        *_PERSON_RULES,
        OneOf("decision", ("admis", "liste_attente", "refuse")),
        OneOf("motif_refus", REASONS),
        required_when(
            "required_when_refused",
            "motif_refus",
            "decision",
            ("refuse",),
            fr="obligatoire en cas de refus (art. 6)",
            en="required when refused (art. 6)",
        ),
        absent_unless(
            "only_when_refused",
            "motif_refus",
            "decision",
            ("refuse",),
            fr="vide sauf en cas de refus",
            en="empty unless refused",
        ),
        Happened("decide_le"),
    ),
    unique=(("identifiant_de", "id_session"),),
    dialects=(hub(column.name for column in DECISION_COLUMNS),),
)
