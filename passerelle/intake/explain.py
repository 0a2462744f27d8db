"""What is said of a fault in French, and what to do about it: the readers say the fault itself, in English, where they find it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from passerelle.errors import IntakeError

_SAVE_AS: Final = (
    "save it as .xlsx or as CSV in UTF-8, without a password",
    "enregistrez-le en .xlsx ou en CSV UTF-8, sans mot de passe",
)
_AGAIN: Final = ("ask the sender for it again, saved anew", "redemandez-le à l'expéditeur, enregistré à nouveau")
_ENCODING: Final = (
    "passerelle contract probe shows the encoding that the bytes speak for; declare it, or ask for UTF-8",
    "passerelle contract probe montre l'encodage que les octets suggèrent ; déclarez-le, ou demandez de l'UTF-8",
)
_SHAPE: Final = (
    "passerelle contract probe shows the header and the settings that the file speaks for; agree on them with the sender",
    "passerelle contract probe montre l'en-tête et les réglages que le fichier suggère ; convenez-en avec l'expéditeur",
)
_ROWS: Final = (
    "lines that belong to the file are declared (lead, trail, blank_lines, short_rows); others are the sender's to mend",
    "les lignes prévues se déclarent (lead, trail, blank_lines, short_rows) ; les autres sont à corriger par l'expéditeur",
)
_CALCULATE: Final = (
    "open the workbook, let it calculate, save it, or paste values over formulas",
    "ouvrez le classeur, laissez-le calculer et enregistrez-le, ou collez les valeurs à la place des formules",
)
_LIMIT: Final = ("the limits are in docs/spec/dialect.md", "les limites sont dans docs/spec/dialect.md")
_OPEN: Final = ("check the path and its permissions", "vérifiez le chemin et ses droits")

_KINDS: Final = {
    "an old binary workbook or document": "un ancien classeur ou document binaire (.xls, .doc)",
    "a workbook under a password": "un classeur protégé par mot de passe",
    "a workbook or zip archive": "un classeur ou une archive zip",
    "an empty zip archive": "une archive zip vide",
    "a gzip file": "un fichier gzip",
    "a PDF document": "un document PDF",
    "a Parquet file": "un fichier Parquet",
    "a 7z archive": "une archive 7z",
    "a RAR archive": "une archive RAR",
    "a bzip2 file": "un fichier bzip2",
    "an xz file": "un fichier xz",
    "a zstd file": "un fichier zstd",
    "a NUL byte": "un octet NUL",
    "text of fixed width": "du texte à largeur fixe",
    "UTF-16 text": "du texte en UTF-16",
    "UTF-32 text": "du texte en UTF-32",
    "XML or HTML": "du XML ou du HTML",
    "JSON": "du JSON",
    "text whose lines end with CR": "du texte dont les lignes finissent par CR",
    "text with a byte order mark": "du texte avec une marque d'ordre des octets (BOM)",
    "text": "du texte",
}
_D: Final = r"(?: \(dialect (?P<d>.+)\))?"
Advice = tuple[str, str]
_SAID: Final[tuple[tuple[str, str, Advice], ...]] = (
    (r"expected a header of (.+), came (?P<kind>[^,]+)", "un en-tête de {0} était attendu, il est venu {kind}", _SHAPE),
    (r"expected CSV, JSON, XML or a workbook, came (?P<kind>.+)", "un CSV, un JSON, un XML ou un classeur était attendu, il est venu {kind}", _SAVE_AS),
    (r"expected the (\d+) columns of dialect ([^ ;]+).*, came (\d+); first difference at column (\d+)", "les {0} colonnes du dialecte {1} étaient attendues, il en est venu {2} ; première différence à la colonne {3}", _SHAPE),
    (r"the header fits (\d+) dialects: (.+)", "l'en-tête convient à {0} dialectes : {1}", ("name the sender", "nommez l'expéditeur")),
    (r"expected a file packed as (.+), came (.+)", "un fichier emballé en {0} était attendu, il est venu {1}", _AGAIN),
    (r"expected a (?:header|file with something in it), came an empty (?:file|one)", "le fichier est vide", _AGAIN),
    (r"expected a file with something in it, came one without a column", "le fichier n'a aucune colonne", _AGAIN),
    (r"expected (\d+) columns?, came (\d+)", "{0} colonnes étaient attendues, il en est venu {1}", _ROWS),
    (r"a blank (line|row)", "une ligne vide", _ROWS),
    (r"expected the closing lines of dialect .+, came something else", "les dernières lignes ne sont pas celles que le dialecte déclare", ("the file may be cut short: ask the sender for it again", "le fichier est peut-être tronqué : redemandez-le à l'expéditeur")),
    (r"the closing line announces another number of rows than the (\d+) that came", "la dernière ligne annonce un autre nombre de lignes que les {0} venues", ("the file may be cut short: ask the sender for it again", "le fichier est peut-être tronqué : redemandez-le à l'expéditeur")),
    (r"text in (UTF-8|MacRoman), where (.+) is declared", "du texte en {0}, alors que {1} est déclaré", _ENCODING),
    (r"bytes that are not (.+)", "des octets qui ne sont pas du {0}", _ENCODING),
    (r"a byte that (.+) does not define", "un octet que {0} ne définit pas", _ENCODING),
    (r"expected (.+), came a byte order mark or none", "{0} était attendu : la marque d'ordre des octets (BOM) est de trop ou manque", _ENCODING),
    (r"a NUL byte", "un octet NUL", _ENCODING),
    (r"an escape that nothing follows", "un caractère d'échappement que rien ne suit", _ROWS),
    (r"a quote that is not closed within (.+)", "des guillemets qui ne se referment pas (limite : {0})", _ROWS),
    (r"a quote inside a field that is not doubled", "des guillemets à l'intérieur d'un champ, non doublés", ("RFC 4180: quotes inside a field are doubled; declare quote: none where they are text", "RFC 4180 : les guillemets d'un champ se doublent ; déclarez quote sans valeur s'ils sont du texte")),
    (r"an? (?:CR|LF).*|a line that ends with LF.*", "une fin de ligne d'une autre sorte que celle déclarée", ("declare line_end as the file is", "déclarez line_end comme est le fichier")),
    (r"a (?:row|record|tag|cell) of more than (.+)|rows of more than (.+)|a value beyond column (.+)", "une valeur ou une ligne au-delà de la limite", _LIMIT),
    (r"rows that cannot be told apart", "des lignes qu'on ne peut pas distinguer", _ROWS),
    (r"(\d+) sheets have the header of dialect (.+)", "{0} feuilles ont l'en-tête du dialecte {1}", ("declare the sheet by its name (sheet)", "déclarez la feuille par son nom (sheet)")),
    (r"expected days counted from (\d+), came a workbook that counts them from (\d+)", "des jours comptés depuis {0} étaient attendus, le classeur les compte depuis {1}", ("declare serial_epoch, or save the workbook with the other date system", "déclarez serial_epoch, ou enregistrez le classeur avec l'autre système de dates")),
    (r"merged cells in the table", "des cellules fusionnées dans le tableau", ("a merged cell has one value for several rows or columns: unmerge and fill", "une cellule fusionnée a une valeur pour plusieurs lignes ou colonnes : défusionnez et remplissez")),
    (r"a formula without its result", "une formule sans son résultat", _CALCULATE),
    (r"a cell that is not what it says|two cells in one place|a cell whose place .+|the rows of the sheet are not in order|merged cells whose place .+", "la feuille n'est pas bien formée", _AGAIN),
    (r"expected a workbook in \.xlsx, came (.+)", "un classeur .xlsx était attendu, il est venu un autre format (OpenDocument ou .xlsb)", _SAVE_AS),
    (r"the archive is not a workbook", "l'archive n'est pas un classeur", _SAVE_AS),
    (r"expected one file in the archive, came (.+)", "un seul fichier était attendu dans l'archive", ("send one file in one archive", "envoyez un fichier par archive")),
    (r"a member of the archive is encrypted", "l'archive est protégée par mot de passe", ("send it without a password: what arrives is encrypted to the convention's key at once", "envoyez-la sans mot de passe : ce qui arrive est aussitôt chiffré avec la clé de la convention")),
    (r"a member.*|two members.*|expected members.*|expected a plain zip.*", "l'archive a un contenu qu'aucun échange n'a", _AGAIN),
    (r"a part of the archive .+|the archive.+|the gzip file is .+", "l'archive est endommagée ou coupée", _AGAIN),
    (r"the gzip file unpacks .+|expected at most .+|a packed workbook of more than .+|the workbook has more than .+|more than .+ inside one another", "le fichier dépasse une limite", _LIMIT),
    (r"expected JSON, came something else", "du JSON était attendu, il est venu autre chose", _AGAIN),
    (r"expected well-formed XML, came something else", "du XML bien formé était attendu, il est venu autre chose", _AGAIN),
    (r"expected XML without a document type declaration, came XML with one", "le XML a une déclaration de type de document, qui est refusée", _AGAIN),
    (r"expected (.+), came XML that says another encoding of itself", "{0} était attendu ; le XML annonce un autre encodage", _ENCODING),
    (r"an array of objects.+|expected an array of objects, came other JSON", "un tableau d'objets était attendu dans le JSON", ("declare its path by hand", "déclarez son chemin à la main")),
    (r"the document breaks its schema", "le document enfreint son schéma", ("check it against the schema that was agreed on", "validez-le avec le schéma convenu")),
    (r"something that the dialect does not declare|an element of .+|text between elements", "quelque chose que le dialecte ne déclare pas", ("declare it, to be read or dropped, or ask the sender why it came", "déclarez-le, pour le lire ou l'ignorer, ou demandez à l'expéditeur pourquoi il est venu")),
    (r"a number that JSON does not have|one name twice in an object|half of a surrogate pair|something after the object of the line|a NUL character", "du JSON ou du XML que la norme ne permet pas, ou un caractère NUL", _AGAIN),
    (r"a record that is no object|a value where the dialect declares more below.*|more below .+, where the dialect declares a value", "un enregistrement d'une autre forme que celle déclarée", _SHAPE),
    (r"several values for .+|no single value in the list .+", "plusieurs valeurs là où le dialecte en déclare une", ("declare multivalue with a mark that no value holds, or rows", "déclarez multivalue avec une marque qu'aucune valeur ne contient, ou rows")),
    (r"a value of .+ that holds the mark between values", "une valeur qui contient la marque entre les valeurs", ("declare another mark in multivalue", "déclarez une autre marque dans multivalue")),
    (r"a record whose rows are more than .+", "un enregistrement au-delà de la limite", _LIMIT),
    (r"no .+", "une valeur attendue manque dans l'enregistrement", ("declare it optional, or ask the sender for it", "déclarez-la facultative (optional), ou demandez-la à l'expéditeur")),
    (r"there is no such file|the file (?:may not be read by this account|cannot be opened)|expected a regular file", "le fichier ne peut pas être ouvert", _OPEN),
    (r"the input changed while it was read", "le fichier a changé pendant sa lecture", ("send it again, whole", "envoyez-le à nouveau, entier")),
)  # fmt: skip
_PATTERNS: Final = tuple(
    (re.compile(f"(?:{pattern.replace('.+', '.+?').replace('.*', '.*?')}){_D}"), fr, advice)
    for pattern, fr, advice in _SAID
)


@contextmanager
def explaining() -> Iterator[None]:
    """Let an ``IntakeError`` through with what ``explained`` adds to it."""
    try:
        yield
    except IntakeError as error:
        explained(error)
        raise


def explained(error: IntakeError) -> IntakeError:
    """``error`` with its message in French and a hint in both languages, where it has none."""
    if (found := _french(error.message)) is None:
        return error
    said, hint, hint_fr = found
    error.fr = error.fr or said
    if error.hint is None or error.hint in _GENERAL:
        error.hint, error.hint_fr = hint, hint_fr
    else:
        error.hint_fr = error.hint_fr or hint_fr
    return error


@functools.lru_cache(1024)
def _french(message: str) -> tuple[str, str, str] | None:
    """A message in French, and what to do in English and French; None: it is not known."""
    for pattern, fr, advice in _PATTERNS:
        if found := pattern.fullmatch(message):
            named = found.groupdict()
            kind = named.get("kind") or ""
            said = fr.format(*found.groups(default=""), kind=_KINDS.get(kind, kind))
            dialect = f" (dialecte {named['d']})" if named.get("d") else ""
            return said + dialect, *(_SAVE_AS if kind in _SAVED_OTHERWISE else advice)
    return None


_SAVED_OTHERWISE: Final = frozenset(_KINDS) - {
    "JSON",
    "text",
    "text whose lines end with CR",
    "text with a byte order mark",
}
_GENERAL: Final = (
    "check the version of the format, its separator and its encoding with the sender",
    "ask the sender for it again, saved anew",
)
