"""Employment fairs and events that the partners tell each other (PACA, art. [19])."""

from __future__ import annotations

from contracts.base import DataContract
from contracts.codes import COMMUNE_2025
from contracts.dialects import hub
from contracts.relations import not_before
from contracts.rules import Between, Identifier, Length, OneOf, Pattern
from passerelle.contract import Column, Kind

COLUMNS = (
    Column("id_evenement", "Identifiant de l'événement", "Identifier of the event", Kind.CODE),
    Column("intitule", "Intitulé", "Title"),
    Column("type_evenement", "Type d'événement", "Kind of event", Kind.CODE),
    Column("organisateur", "Organisateur", "Organiser"),
    Column("date_debut", "Premier jour", "First day", Kind.DATE),
    Column("date_fin", "Dernier jour", "Last day", Kind.DATE),
    Column("commune", "Commune", "Commune", Kind.CODE, required=False, codes=COMMUNE_2025),
    Column("lieu", "Lieu", "Place", required=False),
    Column("en_ligne", "Événement en ligne", "Online event", Kind.BOOLEAN),
    Column("places", "Nombre de places", "Number of places", Kind.INTEGER, required=False),
    Column("url", "Adresse de la page", "Address of the page", required=False),
)

EVENTS_LIST = DataContract(
    id="events_list",
    version="1.0.0",
    title={"fr": "Forums et événements pour l'emploi", "en": "Employment fairs and events"},
    description={"fr": "Une ligne par événement.", "en": "One row for each event."},
    columns=COLUMNS,
    rules=(
        Length("id_evenement", 1, 50),
        Length("intitule", 1, 255),
        OneOf("type_evenement", ("forum", "job_dating", "reunion", "visite", "atelier")),
        Length("organisateur", 1, 255),
        not_before("date_fin", "date_debut"),
        Identifier("commune", "commune"),
        Length("lieu", 1, 255),
        Between("places", 1, 100_000),
        Pattern("url", "url", r"https?://[!-~]{4,290}", "adresse http ou https", "http or https address"),
    ),
    unique=(("id_evenement",),),
    dialects=(hub(column.name for column in COLUMNS),),
)
