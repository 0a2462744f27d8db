r"""What personal data look like in a text: one regular expression a kind, linear in the text, for Rust's engine.

Each has two groups or four: what comes before (kept), and the datum. ``\d`` would match digits of other scripts, look-around
does not exist here: what stands before and after a candidate is judged in ``validity``.
"""

from __future__ import annotations

from typing import Final

KINDS: Final = ("email", "iban", "avs", "nir", "phone", "name")
"""In the order they are looked for: what is found is no candidate for the kinds that follow."""

TOKENS: Final = {
    "email": "‹courriel masqué›",
    "iban": "‹IBAN masqué›",
    "nir": "‹NIR masqué›",
    "avs": "‹numéro AVS masqué›",
    "phone": "‹téléphone masqué›",
    "name": "‹nom masqué›",
}
"""What stands in place of a datum that is masked."""

BREAK: Final = r"()(\\[nrt])"
"""A line end that a sender writes as two characters: a boundary, as a line end is."""

_EDGE = r"(?-u:\b)"  # of ASCII words: Unicode's would slow the whole scan
_UPPER = r"A-ZÀ-ÖØ-ÞĀ-ſ"
_LOWER = r"a-zß-öø-ÿā-ſ"
_LETTER = rf"[{_UPPER}{_LOWER}]"
_BLANK = r"[ \t\x{a0}\x{2009}\x{202f}]"  # no line end: a datum stands on one line
_GAP = rf"{_BLANK}{{0,2}}"
_DOT = r"[ .\t\x{a0}\x{2009}\x{202f}]"
_NOT_DIGIT = r"(^|[^0-9])"

_AT = rf"{_BLANK}?[@＠]{_BLANK}?|{_BLANK}?[(\[{{]{_BLANK}?(?:at|arobase|@){_BLANK}?[)\]}}]{_BLANK}?|{_BLANK}arobase{_BLANK}"
_EMAIL = rf"()([{_UPPER}{_LOWER}0-9._%+'’-]+(?:{_AT})(?:[{_UPPER}{_LOWER}0-9-]+\.)+[A-Za-z]{{2,24}})"

# Country: characters after the country's two letters and the two check digits (ISO 13616 registry).
_IBAN_LENGTHS = {
    "FR": 23, "MC": 23, "CH": 17, "LI": 17, "BE": 12, "DE": 18, "LU": 16, "IT": 23, "SM": 23, "ES": 20, "PT": 21, "NL": 14,
}  # fmt: skip
_S = r"[ .\t\x{a0}\x{2009}\x{202f}-]?"
_IBAN = (
    rf"(^|[^{_UPPER}{_LOWER}0-9])("
    + "|".join(rf"{country}[0-9]{{2}}(?:{_S}[0-9A-Z]){{{rest}}}" for country, rest in _IBAN_LENGTHS.items())
    + rf"){_EDGE}"
)

_NIR = (
    rf"{_NOT_DIGIT}([1-478]{_S}[0-9]{{2}}{_S}[0-9]{{2}}{_S}(?:[0-9]{{2}}|2[ABab]){_S}"
    rf"(?:[0-9]{{3}}{_S}[0-9]{{3}}|[0-9]{{2}}{_S}[0-9]{{2}}{_S}[0-9]{{2}})"
    rf"(?:{_S}[/(]?{_S}[0-9]{{2}})?){_EDGE}"
)

_AVS = rf"{_NOT_DIGIT}(756{_S}[0-9]{{4}}{_S}[0-9]{{4}}{_S}[0-9]{{2}}){_EDGE}"

# National numbers: groups with one kind of separator, so that neither a date and an hour nor a SIRET is one.
_PAIRS = "|".join(
    rf"(?:{separator}[0-9]{{2}}){{4}}" for separator in (rf"{_DOT}{{1,2}}", rf"{_GAP}-{_GAP}", rf"{_GAP}/{_GAP}", "")
)
_NATIONAL = "|".join(
    (
        rf"0[1-9](?:{_PAIRS})",
        rf"0[1-9][0-9]{{2}}(?:{_DOT}[0-9]{{2}}){{3}}",  # 0262 12 34 56
        rf"0[1-9][0-9]{{2}}(?:{_DOT}[0-9]{{3}}){{2}}",  # 0800 123 456
        rf"0{_BLANK}[1-9][0-9]{{2}}(?:{_BLANK}[0-9]{{3}}){{2}}",  # 0 800 123 456
        rf"0[1-9]{_BLANK}[0-9]{{3}}{_BLANK}[0-9]{{3}}{_BLANK}[0-9]{{2}}",
        rf"0[1-9]{_BLANK}[0-9]{{4}}{_BLANK}[0-9]{{4}}",
        rf"0[1-9][0-9](?:{_DOT}|/)[0-9]{{3}}(?:{_DOT}[0-9]{{2}}){{2}}",  # Swiss: 022 123 45 67, 022/123 45 67
    )
)
_PREFIXED = (
    rf"(?:\+|00){_BLANK}?(?:33|41|262|269|59[046]|508|687|689|377|32|352|49|39)"  # France, overseas, its neighbours
    rf"(?:{_GAP}\(0\))?(?:{_GAP}[.-]?{_GAP}[0-9]){{8,10}}"
)
_PHONE = rf"{_NOT_DIGIT}({_PREFIXED}|{_NATIONAL}){_EDGE}"

_TITLE = r"(?:M\.|MM\.|Mr\.?|Mme\.?|Mmes|Mlle|Monsieur|Madame|Mademoiselle|Maître|Docteur|Dr\.?)"
_WORD = rf"[{_UPPER}][{_UPPER}{_LOWER}'’]*(?:-[{_UPPER}{_LOWER}'’]+)*"
_PARTICLE = rf"(?:(?:de|du|des|de{_BLANK}la|le|la|van|von|ben|el|d['’]){_BLANK}?)?"
_TITLED = rf"(?:[{_UPPER}]\.|{_WORD})(?:{_BLANK}{_PARTICLE}(?:[{_UPPER}]\.|{_WORD})){{0,3}}"
_FIRST = rf"[{_UPPER}][{_LOWER}]+(?:-[{_UPPER}]?[{_LOWER}]+)?"
_CAPITALS = rf"[{_UPPER}]{{2,}}(?:(?:[-'’]|{_BLANK})[{_UPPER}]{{2,}}){{0,2}}"
_ANNOUNCED = rf"{_FIRST}{_BLANK}{_PARTICLE}{_WORD}|{_CAPITALS}{_BLANK}{_FIRST}"
_CUE = (
    rf"{_EDGE}(?i:contact(?:er|ez|s)?|s['’]adresser|adressez-vous|joindre|auprès|interlocut(?:eur|rice)s?|référente?|"
    r"personne à contacter|renseignements?)"
    rf"(?:{_BLANK}?[:–-]{_BLANK}?|{_BLANK}(?:(?:à|de|avec|est|chez){_BLANK})?(?::{_BLANK})?)"
)
_NAME = rf"((?:{_CUE})?{_EDGE}{_TITLE}{_BLANK}{{1,2}})({_TITLED})|({_CUE})({_ANNOUNCED})"

PATTERNS: Final = {"email": _EMAIL, "iban": _IBAN, "nir": _NIR, "avs": _AVS, "phone": _PHONE, "name": _NAME}
