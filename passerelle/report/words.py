"""The sentences of a report, French and English."""

from __future__ import annotations

from collections.abc import Mapping

from passerelle.report.model import Bilingual

REPAIRS = {
    "trim": Bilingual(fr="espaces retirés autour de la valeur", en="whitespace around the value taken away"),
    "zero_fill": Bilingual(fr="zéros de tête rendus", en="leading zeros given back"),
    "nbsp": Bilingual(fr="espaces insécables rendus ordinaires", en="no-break spaces made plain"),
    "serial_date": Bilingual(fr="numéro de jour d'un tableur lu comme une date", en="a spreadsheet's day number read as a date"),
    "short_rows": Bilingual(fr="colonnes manquantes en fin de ligne lues comme vides", en="columns missing at the end of a row read as empty"),
    "blank_lines": Bilingual(fr="lignes vides passées", en="blank lines passed over"),
}  # fmt: skip
"""A repair by its name (docs/spec/dialect.md)."""

NO_KEY = Bilingual(
    fr="Aucune clé approuvée n'est inscrite pour vous : les verdicts ligne par ligne ne peuvent pas vous être scellés. "
    "Envoyez votre clé publique (age1… ou ssh-…) à la passerelle ; deux personnes l'approuvent, puis envoyez le fichier à nouveau.",
    en="No approved key is enrolled for you: verdicts row by row cannot be sealed to you. Send your public key (age1… or "
    "ssh-…) to the gateway; two people approve it, then send the file again.",
)
NOT_JUDGED = Bilingual(
    fr="Les lignes n'ont pas été jugées : le fichier a été refusé avant.",
    en="The rows were not judged: the file was refused before.",
)
RETURNED_BEFORE = Bilingual(
    fr="Les verdicts de ce même contenu vous ont déjà été remis ; ils n'ont pas changé.",
    en="The verdicts on this very content were handed to you before; they have not changed.",
)

_DATE_PARTS = {"%Y": ("AAAA", "YYYY"), "%m": ("MM", "MM"), "%d": ("JJ", "DD"), "%H": ("HH", "HH"), "%M": ("MM", "MM"), "%S": ("SS", "SS"), "%y": ("AA", "YY")}  # fmt: skip

PAGE: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "title": "Compte rendu du fichier reçu",
        "delivered": "Fichier accepté",
        "refused": "Fichier refusé",
        "delivered_says": "Les lignes acceptées ont été remises à leur destinataire.",
        "place": "À cet endroit du fichier",
        "todo": "Que faire",
        "read": "Lignes lues", "accepted": "Acceptées", "rejected": "Rejetées", "tolerated": "Part de rejets tolérée",
        "rules": "Règles enfreintes", "rules_caption": "Une ligne peut enfreindre plusieurs règles. Les numéros de ligne partent de 1, en-tête non compris.",
        "no_rules": "Aucune ligne n'enfreint le contrat de données.",
        "not_judged": "Les lignes n'ont pas été jugées.",
        "rule": "Règle", "column": "Colonne", "count": "Lignes", "first": "Premières lignes", "expected": "Ce qui était attendu",
        "checks": "Contrôles d'ensemble non satisfaits", "error": "refuse le fichier", "warning": "à surveiller",
        "repairs": "Réparations faites, comme le format déclaré le permet", "repair": "Réparation", "cells": "Valeurs", "whole": "toutes",
        "dialect": "Comment le fichier a été lu", "no_dialect": "Le format du fichier n'a été reconnu comme aucun de ceux qui sont déclarés.",
        "name": "Nom", "format": "Format", "encoding": "Codage", "separator": "Séparateur", "decimal": "Marque décimale", "dates": "Dates",
        "codes": "Listes de codes utilisées", "list": "Liste", "version": "Version", "validity": "Validité", "columns": "Colonnes", "from": "du", "to": "au",
        "verdicts": "Verdicts ligne par ligne", "sealed": "Ils sont dans le colis {parcel}, scellé à votre clé.",
        "facts": "Le traitement", "convention": "Convention", "exchange": "Échange", "article": "Article", "period": "Période", "sender": "Émetteur", "contract": "Contrat de données", "run": "Traitement", "written": "Établi le",
        "footer": "Ce compte rendu ne contient aucune valeur du fichier : des décomptes, des règles et des numéros de ligne.",
    },
    "en": {
        "title": "Report on the file received",
        "delivered": "File accepted",
        "refused": "File refused",
        "delivered_says": "The accepted rows were handed to their recipient.",
        "place": "At this place of the file",
        "todo": "What to do",
        "read": "Rows read", "accepted": "Accepted", "rejected": "Rejected", "tolerated": "Share of rejections tolerated",
        "rules": "Rules broken", "rules_caption": "One row may break several rules. Row numbers start from 1, the header not counted.",
        "no_rules": "No row breaks the data contract.",
        "not_judged": "The rows were not judged.",
        "rule": "Rule", "column": "Column", "count": "Rows", "first": "First rows", "expected": "What was expected",
        "checks": "Checks of the whole file that failed", "error": "refuses the file", "warning": "to be watched",
        "repairs": "Repairs made, as the declared format allows", "repair": "Repair", "cells": "Values", "whole": "all",
        "dialect": "How the file was read", "no_dialect": "The file was recognised as none of the declared formats.",
        "name": "Name", "format": "Format", "encoding": "Encoding", "separator": "Separator", "decimal": "Decimal mark", "dates": "Dates",
        "codes": "Code lists used", "list": "List", "version": "Version", "validity": "Validity", "columns": "Columns", "from": "from", "to": "to",
        "verdicts": "Verdicts row by row", "sealed": "They are in parcel {parcel}, sealed to your key.",
        "facts": "The run", "convention": "Convention", "exchange": "Exchange", "article": "Article", "period": "Period", "sender": "Sender", "contract": "Data contract", "run": "Run", "written": "Written on",
        "footer": "This report holds no value of the file: counts, rules and row numbers.",
    },
}  # fmt: skip


def written_format(pattern: str, language: str) -> str:
    """A strptime pattern as people write it: ``JJ/MM/AAAA``, ``DD/MM/YYYY``."""
    place = ("fr", "en").index(language)
    for part, words in _DATE_PARTS.items():
        pattern = pattern.replace(part, words[place])
    return pattern
