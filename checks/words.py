"""The words of the page, in French and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FRENCH: Final = {
    "title": "Contrôle du fichier",
    "period": "Période :",
    "passed": "Fichier accepté",
    "failed": "Fichier refusé",
    "read": "Lignes lues",
    "accepted": "Lignes acceptées",
    "rejected": "Lignes rejetées",
    "rejected_share": "Part rejetée",
    "checks": "Contrôles d'ensemble",
    "checks_caption": "Un manquement arrête l'échange ; un avertissement est signalé et ne l'arrête pas.",
    "result": "Résultat",
    "finding": "Constat",
    "state_good": "✓ Conforme",
    "state_bad": "✗ Manquement",
    "state_warn": "⚠ Avertissement",
    "filled": " sans valeur manquante",
    "rejects": "Lignes rejetées par règle",
    "rejects_caption": "Une même ligne peut enfreindre plusieurs règles.",
    "no_rejects": "Aucune ligne n'est rejetée.",
    "rule": "Règle",
    "column": "Colonne",
    "rows": "Lignes",
    "volume": "Lignes lues par période",
    "columns": "Colonnes",
    "columns_caption": "Sur les lignes acceptées. Rien de plus n'est relevé dans une colonne qui désigne une personne.",
    "kind": "Nature",
    "empty": "Vide",
    "secret": "Sous secret",
    "range": "Étendue",
    "to": " à ",
    "codes": "Codes les plus fréquents",
    "kind_text": "texte",
    "kind_code": "code",
    "kind_integer": "entier",
    "kind_decimal": "nombre décimal",
    "kind_date": "date",
    "kind_boolean": "oui ou non",
    "kind_count": "effectif",
    "footer": (
        "Cette page ne contient que des agrégats. Tout nombre de lignes compris entre 1 et 10 est masqué, de même que son "
        "complément ; les totaux lus, acceptés et rejetés sont exacts."
    ),
}

ENGLISH: Final = {
    "title": "File check",
    "period": "Period:",
    "passed": "File accepted",
    "failed": "File refused",
    "read": "Rows read",
    "accepted": "Rows accepted",
    "rejected": "Rows rejected",
    "rejected_share": "Share rejected",
    "checks": "Checks on the whole file",
    "checks_caption": "A failure stops the exchange; a warning is shown and does not stop it.",
    "result": "Result",
    "finding": "Finding",
    "state_good": "✓ Holds",
    "state_bad": "✗ Failure",
    "state_warn": "⚠ Warning",
    "filled": " without a missing value",
    "rejects": "Rows rejected by rule",
    "rejects_caption": "One row may break several rules.",
    "no_rejects": "No row is rejected.",
    "rule": "Rule",
    "column": "Column",
    "rows": "Rows",
    "volume": "Rows read by period",
    "columns": "Columns",
    "columns_caption": "Over the accepted rows. Nothing more is measured in a column that points to a person.",
    "kind": "Kind",
    "empty": "Empty",
    "secret": "Secret",
    "range": "Range",
    "to": " to ",
    "codes": "Most frequent codes",
    "kind_text": "text",
    "kind_code": "code",
    "kind_integer": "integer",
    "kind_decimal": "decimal number",
    "kind_date": "date",
    "kind_boolean": "yes or no",
    "kind_count": "count",
    "footer": (
        "This page holds aggregates only. Every number of rows from 1 to 10 is masked, and so is its complement; the totals "
        "read, accepted and rejected are exact."
    ),
}

WORDS: Final[Mapping[str, Mapping[str, str]]] = {"fr": FRENCH, "en": ENGLISH}
