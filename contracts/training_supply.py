"""The supply of training: what providers change in the CARIF's base, and places still free (PACA, art. 4 and 8)."""

from __future__ import annotations

from contracts.base import DataContract
from contracts.codes import CLPE_A, COMMUNE_2025, FORMACODE_V14, RNCP_2023
from contracts.dialects import hub
from contracts.relations import not_before, required_when, total
from contracts.rules import Between, Happened, Identifier, Length, OneOf, Pattern
from passerelle.contract import Column, Kind

_SESSION = Pattern(
    "id_session",
    "id_session",
    r"[0-9A-Za-z_/-]{1,40}",
    "1 à 40 lettres, chiffres, barres, tirets ou traits bas",
    "1 to 40 letters, digits, slashes, hyphens or underscores",
)
_SAID = (
    Column("id_session", "Session de formation", "Training session", Kind.CODE),
    Column("intitule_formation", "Intitulé de la formation", "Course title"),
    Column("formacode", "Domaine de la formation", "Field of the training", Kind.CODE, codes=FORMACODE_V14),
    Column(
        "certification", "Certification préparée", "Certification prepared", Kind.CODE, required=False, codes=RNCP_2023
    ),
    Column("siret_organisme", "SIRET de l'organisme de formation", "SIRET of the training provider", Kind.CODE),
    Column("commune", "Commune de la formation", "Commune of the training", Kind.CODE, codes=COMMUNE_2025),
    Column("date_debut", "Début de la session", "Start of the session", Kind.DATE),
)
_SAID_RULES = (
    _SESSION,
    Length("intitule_formation", 1, 255),
    Identifier("formacode", "formacode"),
    Identifier("certification", "certification"),
    Identifier("siret_organisme", "siret"),
    Identifier("commune", "commune"),
)

UPDATE_COLUMNS = (
    *_SAID,
    Column("date_fin", "Fin de la session", "End of the session", Kind.DATE),
    Column("date_information_collective", "Réunion d'information", "Information meeting", Kind.DATE),
    Column(
        "date_commission",
        "Commission de validation des entrées",
        "Commission that confirms the entries",
        Kind.DATE,
    ),
    Column("nature_modification", "Nature de la mise à jour", "Kind of update", Kind.CODE),
    Column("objet_modification", "Ce qui change", "What changes", Kind.CODE, required=False),
    Column("mis_a_jour_le", "Date de la mise à jour", "Date of the update", Kind.DATE),
)

TRAINING_OFFER_UPDATES = DataContract(
    id="training_offer_updates",
    version="1.0.0",
    title={"fr": "Mises à jour de l'offre de formation", "en": "Updates of the training offer"},
    description={
        "fr": "Une ligne par session créée, modifiée ou annulée : dates, réunion d'information, commission, modification.",
        "en": "One row for each session created, changed or cancelled: dates, information meeting, commission, change.",
    },
    columns=UPDATE_COLUMNS,
    rules=(
        *_SAID_RULES,
        not_before("date_fin", "date_debut"),
        not_before("date_debut", "date_information_collective"),
        not_before("date_debut", "date_commission"),
        OneOf("nature_modification", ("creation", "modification", "annulation")),
        OneOf("objet_modification", ("dates", "lieu", "places", "reunion", "commission", "contact")),
        required_when(
            "required_when_changed",
            "objet_modification",
            "nature_modification",
            ("modification",),
            fr="obligatoire pour une modification (art. 4)",
            en="required for a change (art. 4)",
        ),
        Happened("mis_a_jour_le"),
    ),
    unique=(("id_session", "mis_a_jour_le"),),
    dialects=(hub(column.name for column in UPDATE_COLUMNS),),
)

PLACE_COLUMNS = (
    *_SAID,
    Column("clpe", "Territoire du comité local", "Territory of the local committee", Kind.CODE, required=False, codes=CLPE_A),
    Column("places_ouvertes", "Places ouvertes", "Places opened", Kind.INTEGER),
    Column("places_pourvues", "Places pourvues", "Places filled", Kind.INTEGER),
    Column("places_non_pourvues", "Places non pourvues", "Places not filled", Kind.INTEGER),
    Column("alerte_le", "Date de l'alerte", "Date of the alert", Kind.DATE),
)  # fmt: skip

UNFILLED_PLACES = DataContract(
    id="unfilled_places",
    version="1.0.0",
    title={"fr": "Places de formation non pourvues", "en": "Unfilled training places"},
    description={
        "fr": "Une ligne par session qui garde des places libres, avec leur nombre le jour de l'alerte.",
        "en": "One row for each session with places still free, and how many on the day of the alert.",
    },
    columns=PLACE_COLUMNS,
    rules=(
        *_SAID_RULES,
        Identifier("clpe", "clpe"),
        Between("places_ouvertes", 1, 10_000),
        Between("places_pourvues", 0, 10_000),
        Between("places_non_pourvues", 1, 10_000),
        total("places_ouvertes", ("places_pourvues", "places_non_pourvues")),
        Happened("alerte_le"),
    ),
    unique=(("id_session", "alerte_le"),),
    dialects=(hub(column.name for column in PLACE_COLUMNS),),
)
