"""The golden list as a page that a DPO reads, in French and English: docs/holdings.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from retention.golden import FileKind, Golden, TableKept, golden

Lang = Literal["fr", "en"]

WORDS: Mapping[Lang, Mapping[str, str]] = {
    "fr": {
        "title": "Ce que garde la passerelle",
        "lead": "Chaque colonne, chaque sorte de fichier et chaque table de Prefect : ce qui peut mener à une personne, combien de "
        "temps, et ce qui l'efface. « Indirect » : par une clé, un dénombrement ou un compte. Sans mention, une colonne ne mène "
        "à personne. La liste est `retention/golden.json` ; un essai échoue tant qu'une colonne ou un fichier y manque.",
        "tables": "Tables", "files": "Fichiers", "prefect": "Base de Prefect",
        "head_tables": "| table | contenu | mène à une personne | conservation | effacé par |",
        "head_files": "| fichier | contenu | personne | conservation | effacé par |",
        "head_prefect": "| table | contenu | personne | conservation |",
        "none": "non", "indirect": "indirectement", "direct": "directement", "nobody": "–",
        "emptied": "vidé à la destruction : ", "rows": "lignes retirées à la destruction",
    },
    "en": {
        "title": "What the gateway keeps",
        "lead": "Each column, each kind of file and each table of Prefect: what can lead to a person, for how long, and what removes "
        "it. “Indirect”: through a key, a count or an account. A column that is not named leads to nobody. The list is "
        "`retention/golden.json`; a test fails as long as a column or a file is missing in it.",
        "tables": "Tables", "files": "Files", "prefect": "Prefect's database",
        "head_tables": "| table | content | leads to a person | kept | removed by |",
        "head_files": "| file | content | person | kept | removed by |",
        "head_prefect": "| table | content | person | kept |",
        "none": "no", "indirect": "indirectly", "direct": "directly", "nobody": "–",
        "emptied": "emptied by the purge: ", "rows": "rows removed by the purge",
    },
}  # fmt: skip


def page() -> str:
    """The page, French first."""
    found = golden()
    return "\n".join([*_in("fr", found), "", *_in("en", found), ""])


def _in(lang: Lang, found: Golden) -> Iterable[str]:
    words = WORDS[lang]
    yield from (f"# {words['title']}" if lang == "fr" else f"## {words['title']}", "", words["lead"], "")
    yield from (f"### {words['tables']}", "", words["head_tables"], "|---|---|---|---|---|")
    yield from (_table(lang, one, found) for one in found.tables)
    yield from ("", f"### {words['files']}", "", words["head_files"], "|---|---|---|---|---|")
    yield from (_file(lang, one, found) for one in found.files)
    yield from ("", f"### {words['prefect']}", "", words["head_prefect"], "|---|---|---|---|")
    for one in found.prefect:
        yield f"| `{one.name}` | {one.said[lang]} | {words[one.person]} | {found.keeping[one.keep][lang]} |"


def _table(lang: Lang, one: TableKept, found: Golden) -> str:
    words = WORDS[lang]
    leads = [f"`{column.name}` {words[column.person]}" for column in one.columns if column.person != "none"]
    kept = found.keeping[one.keep][lang]
    if one.cleared:
        kept += f" ; {words['emptied']}" if lang == "fr" else f"; {words['emptied']}"
        kept += ", ".join(f"`{name}`" for name in one.cleared)
    elif one.purged_by:
        kept += f" ({words['rows']})"
    return (
        f"| `{one.name}` | {one.said[lang]} | {', '.join(leads) or words['none']} | {kept} | {_by(lang, one.gone_by)} |"
    )


def _file(lang: Lang, one: FileKind, found: Golden) -> str:
    words = WORDS[lang]
    return f"| {one.kind} | {one.said[lang]} | {words[one.person]} | {found.keeping[one.keep][lang]} | {_by(lang, one.gone_by)} |"


def _by(lang: Lang, module: str | None) -> str:
    return f"`{module}`" if module else WORDS[lang]["nobody"]
