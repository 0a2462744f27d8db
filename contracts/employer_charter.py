"""The Geneva charter between an employer and the cantonal employment office (OCE): vacancies, profiles, and what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.base import DataContract
from contracts.dialects import hub
from contracts.relations import at_most, is_yes, not_before
from contracts.rules import Between, Happened, Identifier, Length, Note, OneOf, Pattern, Relation
from passerelle.contract import Column, Kind, PersonClass

if TYPE_CHECKING:
    import polars as pl

DIRECT, INDIRECT = PersonClass.DIRECT, PersonClass.INDIRECT
OWED_OVER_DAYS = 14
"""A vacancy of more than this many days must be announced (part I, employer, point 1)."""
MOST_PROFILES = 5
"""Profiles for one vacancy, unless the employer expressly asked for more (part I, OCE, point 1)."""

_REFERENCE_FR = "1 à 40 lettres, chiffres, tirets ou traits bas"
_REFERENCE_EN = "1 to 40 letters, digits, hyphens or underscores"


def _reference(column: str) -> Pattern:
    return Pattern("reference", column, r"[0-9A-Za-z_-]{1,40}", _REFERENCE_FR, _REFERENCE_EN)


def _few_profiles() -> pl.Expr:
    import polars as pl

    return (pl.col("rang") <= MOST_PROFILES) | pl.col("demande_expresse").fill_null(value=False)


VACANCY_COLUMNS = (
    Column("annonce_piece_jointe", "Annonce jointe (nom du fichier)", "Advertisement attached (name of the file)"),
    Column("responsable_nom", "Personne responsable du recrutement", "Person responsible for the recruitment", Kind.TEXT, DIRECT),
    Column("responsable_email", "Son adresse électronique", "Their e-mail address", Kind.TEXT, DIRECT, identifier="email"),
    Column("reference", "Référence du poste", "Reference of the post", Kind.CODE, required=False),
    Column("intitule_poste", "Intitulé du poste", "Title of the post", required=False),
    Column("descriptif_poste", "Descriptif, à la demande de l'OCE", "Job description, on the OCE's request", Kind.TEXT, INDIRECT, required=False, free_text=True),
    Column("duration_days", "Durée du poste, en jours ; vide : durée indéterminée", "Length of the post, in days; empty: open-ended", Kind.INTEGER, required=False),
    Column("taux_activite", "Taux d'activité, en %", "Rate of activity, in %", Kind.INTEGER, required=False),
)  # fmt: skip

VACANCIES = DataContract(
    id="vacancies",
    version="1.0.0",
    title={"fr": "Postes vacants", "en": "Vacancies"},
    description={
        "fr": "Une ligne par poste annoncé, avec l'annonce, le nom et l'adresse de la personne responsable.",
        "en": "One row for each post announced, with the advertisement, the name and the address of the person responsible.",
    },
    columns=VACANCY_COLUMNS,
    rules=(
        Length("annonce_piece_jointe", 1, 255),
        Length("responsable_nom", 1, 100),
        Identifier("responsable_email", "email"),
        _reference("reference"),
        Length("intitule_poste", 1, 255),
        Length("descriptif_poste", 1, 10_000),
        Between("duration_days", 1, 36_500),
        Between("taux_activite", 1, 100),
    ),
    unique=(),
    dialects=(hub(column.name for column in VACANCY_COLUMNS),),
    notes=(
        Note(
            "not_owed",
            "duration_days",
            at_most=OWED_OVER_DAYS,
            says="duration_{}_days",
            fr=f"une annonce n'est due qu'au-delà de {OWED_OVER_DAYS} jours ; plus courte, elle est reçue quand même",
            en=f"an announcement is owed only over {OWED_OVER_DAYS} days; a shorter one is taken all the same",
        ),
    ),
)

PROFILE_COLUMNS = (
    Column("poste", "Référence du poste", "Reference of the vacancy", Kind.CODE),
    Column("rang", "Rang du profil pour ce poste", "Rank of the profile for that vacancy", Kind.INTEGER),
    Column("candidat", "Identifiant du candidat à l'OCE", "The candidate's identifier at the OCE", Kind.CODE, INDIRECT),
    Column("nom", "Nom", "Last name", Kind.TEXT, DIRECT),
    Column("prenom", "Prénom", "First name", Kind.TEXT, DIRECT),
    Column("courriel", "Adresse électronique", "E-mail address", Kind.TEXT, DIRECT, identifier="email"),
    Column("telephone", "Téléphone", "Phone number", Kind.TEXT, DIRECT, required=False),
    Column("profession", "Profession", "Occupation", Kind.TEXT, INDIRECT),
    Column("experience_annees", "Expérience, en années", "Experience, in years", Kind.INTEGER, INDIRECT),
    Column("disponible_le", "Disponible à partir du", "Available from", Kind.DATE, INDIRECT),
    Column("inscrit_orp", "Personne inscrite à l'office", "The person is registered with the office", Kind.BOOLEAN, INDIRECT),
    Column("concordance", "Ce en quoi le profil répond au besoin", "How the profile meets the need", Kind.CODE, INDIRECT),
    Column("demande_expresse", "L'employeur a demandé davantage de profils", "The employer asked for more profiles", Kind.BOOLEAN, required=False),
)  # fmt: skip

CANDIDATE_PROFILES = DataContract(
    id="candidate_profiles",
    version="1.0.0",
    title={"fr": "Profils de candidates et de candidats", "en": "Candidate profiles"},
    description={
        "fr": "Une ligne par personne proposée pour un poste ; cinq au plus, sauf demande expresse de l'employeur.",
        "en": "One row for each person proposed for a post; five at most, unless the employer expressly asks for more.",
    },
    columns=PROFILE_COLUMNS,
    rules=(
        _reference("poste"),
        Between("rang", 1, 100),
        Relation(
            "at_most_5_profiles",
            "rang",
            _few_profiles,
            f"{MOST_PROFILES} profils au plus par poste, sauf demande expresse",
            f"at most {MOST_PROFILES} profiles for a vacancy, unless expressly asked",
        ),
        _reference("candidat"),
        Length("nom", 1, 100),
        Length("prenom", 1, 100),
        Identifier("courriel", "email"),
        Identifier("telephone", "phone"),
        Length("profession", 1, 255),
        Between("experience_annees", 0, 60),
        is_yes("registered", "inscrit_orp", "la personne est inscrite à l'office", "the person is registered"),
        OneOf("concordance", ("metier", "metier_proche", "competences", "formation")),
    ),
    unique=(("poste", "rang"), ("poste", "candidat")),
    dialects=(hub(column.name for column in PROFILE_COLUMNS),),
)

FOLLOW_UP_COLUMNS = (
    Column("poste", "Référence du poste", "Reference of the vacancy", Kind.CODE),
    Column("annonce_recue_le", "Annonce reçue le", "Announcement received on", Kind.DATE),
    Column("suivi_le", "Date du suivi final", "Date of the final follow-up", Kind.DATE),
    Column("profils_transmis", "Profils transmis", "Profiles sent", Kind.INTEGER),
    Column("personnes_recues", "dont personnes reçues", "of which persons met", Kind.INTEGER),
    Column("personnes_engagees", "dont personnes engagées", "of which persons hired", Kind.INTEGER),
    Column("issue", "Issue du recrutement", "Outcome of the recruitment", Kind.CODE),
)

FOLLOW_UP_FORM = DataContract(
    id="follow_up_form",
    version="1.0.0",
    title={"fr": "Suivi final d'un poste", "en": "Final follow-up of a vacancy"},
    description={
        "fr": "Une ligne par poste, à partir du onzième jour ouvrable ; aucune personne n'y est nommée.",
        "en": "One row for each vacancy, from the eleventh working day on; no person is named in it.",
    },
    columns=FOLLOW_UP_COLUMNS,
    rules=(
        _reference("poste"),
        not_before("suivi_le", "annonce_recue_le"),
        Between("profils_transmis", 0, 100),
        at_most("personnes_recues", "profils_transmis"),
        at_most("personnes_engagees", "personnes_recues"),
        Between("personnes_recues", 0, 100),
        Between("personnes_engagees", 0, 100),
        OneOf("issue", ("pourvu_oce", "pourvu_autrement", "en_cours", "abandonne")),
        Happened("annonce_recue_le"),
        Happened("suivi_le"),
    ),
    unique=(("poste",),),
    dialects=(hub(column.name for column in FOLLOW_UP_COLUMNS),),
)

FEEDBACK_COLUMNS = (
    Column("poste", "Référence du poste", "Reference of the vacancy", Kind.CODE),
    Column("candidat", "Identifiant du candidat à l'OCE", "The candidate's identifier at the OCE", Kind.CODE, INDIRECT),
    Column("recu", "La personne a été reçue", "The person was met", Kind.BOOLEAN, INDIRECT),
    Column("appreciation", "Appréciation", "Assessment", Kind.CODE, INDIRECT),
    Column("appreciation_le", "Date de l'appréciation", "Date of the assessment", Kind.DATE, INDIRECT),
)

CANDIDATE_FEEDBACK = DataContract(
    id="candidate_feedback",
    version="1.0.0",
    title={"fr": "Appréciation des candidatures", "en": "Feedback on candidates"},
    description={
        "fr": "Une ligne par personne proposée. L'appréciation est prise dans une liste : ni santé, ni origine, ni texte libre. "
        "L'employeur peut n'en donner aucune raison.",
        "en": "One row for each person proposed. The assessment comes from a list: neither health, nor origin, nor free text. "
        "The employer may give no reason.",
    },
    columns=FEEDBACK_COLUMNS,
    rules=(
        _reference("poste"),
        _reference("candidat"),
        OneOf(
            "appreciation",
            (
                "engage",
                "non_engage_sans_motif",
                "competences",
                "experience",
                "disponibilite",
                "salaire",
                "poste_retire",
            ),
        ),
        Happened("appreciation_le"),
    ),
    unique=(("poste", "candidat"),),
    dialects=(hub(column.name for column in FEEDBACK_COLUMNS),),
)

REVIEW_COLUMNS = (
    Column("periode", "Période (AAAA ou AAAA-S1, AAAA-S2)", "Period (YYYY or YYYY-S1, YYYY-S2)", Kind.CODE),
    Column("secteur", "Secteur d'activité de l'employeur", "The employer's line of business"),
    Column("annonces", "Postes annoncés", "Vacancies announced", Kind.INTEGER),
    Column("profils_transmis", "Profils transmis", "Profiles sent", Kind.INTEGER),
    Column(
        "profils_dans_le_delai", "dont dans les cinq jours ouvrables", "of which within five working days", Kind.INTEGER
    ),
    Column("engagements", "Engagements", "Persons hired", Kind.INTEGER),
)

PERIODIC_REVIEW = DataContract(
    id="periodic_review",
    version="1.0.0",
    title={"fr": "Bilan périodique avec l'employeur", "en": "Periodic review with the employer"},
    description={
        "fr": "Une ligne par période et secteur : postes annoncés, profils transmis, engagements.",
        "en": "One row for each period and line of business: vacancies announced, profiles sent, persons hired.",
    },
    columns=REVIEW_COLUMNS,
    rules=(
        Pattern("period", "periode", r"20[0-9]{2}(?:-S[12])?", "AAAA ou AAAA-S1, AAAA-S2", "YYYY or YYYY-S1, YYYY-S2"),
        Length("secteur", 1, 255),
        *(Between(column.name, 0, 1_000_000) for column in REVIEW_COLUMNS[2:]),
        at_most("profils_dans_le_delai", "profils_transmis"),
        at_most("engagements", "profils_transmis"),
    ),
    unique=(("periode", "secteur"),),
    dialects=(hub(column.name for column in REVIEW_COLUMNS),),
)
