"""The manifest is strict: each field has one right form."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.canonical import canonical
from passerelle.contract import Column, Kind
from passerelle.errors import ParcelError
from passerelle.parcel import Facts, Lock, Sealed, build_manifest, notice_hashes, notices, parse_manifest
from passerelle.parcel.notices import written_date
from tests.parcel.conftest import make_facts

FINGERPRINT = "SHA256:" + "A" * 43
SEALED = Sealed(
    "extract.csv", "cd" * 32, 45, "ef" * 32, 345,
    (Lock(kind="release", fingerprints=(FINGERPRINT,)), Lock(kind="recipient", fingerprints=(FINGERPRINT,))),
)  # fmt: skip


def manifest(facts: Facts | None = None, sealed: Sealed = SEALED) -> bytes:
    """The manifest of ``facts``."""
    facts = facts or make_facts()
    return build_manifest(facts, sealed, notice_hashes(notices(facts, sealed)))


VALUE: dict[str, Any] = json.loads(manifest())
Path = tuple[str | int, ...]


def steps(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of each key of each object in ``value``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            yield from steps(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from steps(inner, (*path, index))


def changed(path: Path, change: Any) -> bytes:
    """The manifest with ``change`` applied to the object that holds the last step of ``path``."""
    value = copy.deepcopy(VALUE)
    inner: Any = value
    for step in path[:-1]:
        inner = inner[step]
    change(inner, path[-1])
    return canonical(value)


def put(new: Any) -> Any:
    """A change that sets ``new``."""
    return lambda holder, key: holder.__setitem__(key, new)


PATHS = list(steps(VALUE))
OPTIONAL = {("sources", 0, "path"), ("passerelle", "trail", "size"), ("resources", 0, "schema", "fields", 0, "constraints"),
            ("resources", 0, "schema", "fields", 1, "constraints"), ("resources", 0, "schema", "fields", 1, "missingValues")}  # fmt: skip


def test_parsing_gives_back_the_same_bytes() -> None:
    """A manifest parses, and its model writes the same bytes again."""
    parsed = parse_manifest(manifest())
    assert canonical(parsed.model_dump(mode="json", by_alias=True, exclude_unset=True)) == manifest()
    assert (parsed.member, parsed.resource.rows, parsed.instant) == ("extract.csv.age", 3, make_facts().created)


FREE_TEXT = {"title", "title_en", "fr", "en", "path", "period", "article", "contract_version", "origin", "reason", "warning",
             "name", "label", "value", "delimiter", "lineTerminator"}  # fmt: skip
WRONG: list[Any] = [[], {}, {"x": 1}, -1, 1.5, 1e300, "x" * 5000]


def name_of(path: Path) -> str:
    """A path in the manifest, for the name of a test."""
    return ".".join(map(str, path))


@pytest.mark.parametrize("path", PATHS, ids=name_of)
def test_a_value_of_the_wrong_form_is_refused(path: Path) -> None:
    """Each field refuses a value of another type or beyond its bounds, and the message names the place."""
    for wrong in WRONG if path[-1] in FREE_TEXT else [*WRONG, "\n"]:
        if path == ("resources", 0, "schema", "missingValues") and wrong == []:
            continue
        with pytest.raises(ParcelError, match=r"^manifest\.json"):
            parse_manifest(changed(path, put(wrong)))


@pytest.mark.parametrize("path", [path for path in PATHS if path not in OPTIONAL], ids=name_of)
def test_a_missing_field_is_refused(path: Path) -> None:
    """Each required field must be there."""
    with pytest.raises(ParcelError):
        parse_manifest(changed(path, lambda holder, key: holder.pop(key)))


PARENTS: set[Path] = {path[:-1] for path in PATHS}


@pytest.mark.parametrize("parent", sorted(PARENTS, key=str), ids=name_of)
def test_an_unknown_key_is_refused(parent: Path) -> None:
    """Each object refuses a key that the format does not have."""
    with pytest.raises(ParcelError, match="surprise"):
        parse_manifest(changed((*parent, "surprise"), put(1)))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("$schema",), "profile"),
        (("resources", 0, "schema"), "table"),
        (("resources", 0, "schema", "missingValues"), "missing_values"),
        (("resources", 0, "dialect", "quoteChar"), "quote_char"),
    ],
)
def test_the_names_of_the_code_are_not_those_of_the_format(path: Path, name: str) -> None:
    """A key under the name that the code gives it is unknown."""
    with pytest.raises(ParcelError):
        parse_manifest(changed(path, lambda holder, key: holder.__setitem__(name, holder.pop(key))))


BAD: list[tuple[Path, Any]] = [
    (("$schema",), "https://datapackage.org/profiles/1.0/datapackage.json"),
    (("name",), "Capital"),
    (("name",), "../up"),
    (("name",), "two\nlines"),
    (("created",), "2026-03-01T09:30:00+00:00"),
    (("created",), "2026-02-30T09:30:00Z"),
    (("created",), "2026-03-01T09:30:00.5Z"),
    (("sources",), []),
    (("resources",), []),
    (("resources",), VALUE["resources"] * 2),
    (("resources", 0, "path"), "extract.parquet"),
    (("resources", 0, "path"), "/etc/passwd"),
    (("resources", 0, "format"), "parquet"),
    (("resources", 0, "mediatype"), "text/html"),
    (("resources", 0, "encoding"), "cp1252"),
    (("resources", 0, "hash"), "md5:" + "ab" * 16),
    (("resources", 0, "hash"), "sha256:" + "AB" * 32),
    (("resources", 0, "rows"), 4),
    (("resources", 0, "rows"), True),
    (("resources", 0, "rows"), "3"),
    (("resources", 0, "schema", "fields"), []),
    (("resources", 0, "schema", "fields"), VALUE["resources"][0]["schema"]["fields"] * 2),
    (("resources", 0, "schema", "fields", 0, "type"), "geopoint"),
    (("resources", 0, "dialect", "delimiter"), ";;"),
    (("resources", 0, "dialect", "quoteChar"), "'"),
    (("passerelle", "version"), 2),
    (("passerelle", "convention"), "Face"),
    (("passerelle", "convention_sha256"), "ab" * 31),
    (("passerelle", "sequence"), 0),
    (("passerelle", "counts", "accepted"), 2),
    (("passerelle", "locks"), []),
    (("passerelle", "locks"), VALUE["passerelle"]["locks"][::-1]),
    (("passerelle", "locks"), VALUE["passerelle"]["locks"][:1]),
    (("passerelle", "locks"), VALUE["passerelle"]["locks"] * 2),
    (("passerelle", "locks", 0, "kind"), "padlock"),
    (("passerelle", "locks", 0, "fingerprints"), []),
    (("passerelle", "locks", 0, "fingerprints"), ["SHA256:short"]),
    (("passerelle", "cipher_bytes"), 0),
    (("passerelle", "decision", "outcome"), "block"),
    (("passerelle", "destroy_by", "date"), "2026-13-01"),
    (("passerelle", "destroy_by", "date"), "1.9.2026"),
    (("passerelle", "destroy_by", "basis"), "guessed"),
    (("passerelle", "spreadsheet_formulas"), 0),
    (("passerelle", "notices"), {"README.txt": "sha256:" + "ab" * 32}),
    (("passerelle", "notices", "README.txt"), "ab" * 32),
]


@pytest.mark.parametrize(("path", "wrong"), BAD, ids=lambda part: str(part)[:60])
def test_each_fault_is_refused(path: Path, wrong: Any) -> None:
    """One fault at a time: the manifest is refused."""
    with pytest.raises(ParcelError):
        parse_manifest(changed(path, put(wrong)))


def test_the_end_may_be_unknown() -> None:
    """A destroy-by date of null, a decision without reason, a trail without size and no licence are legal."""
    changes = [(("passerelle", "destroy_by", "date"), None), (("passerelle", "decision", "reason"), None)]
    for path, value in changes:
        assert parse_manifest(changed(path, put(value)))
    assert parse_manifest(changed(("passerelle", "trail", "size"), lambda holder, key: holder.pop(key)))


def test_a_parquet_manifest_has_no_dialect() -> None:
    """The manifest of a parquet extract names its media type, and neither dialect nor encoding."""
    sealed = Sealed("extract.parquet", "cd" * 32, 45, "ef" * 32, 345, SEALED.locks[1:])
    parsed = parse_manifest(manifest(sealed=sealed))
    assert parsed.resource.mediatype == "application/vnd.apache.parquet"
    assert (parsed.resource.dialect, parsed.resource.encoding, parsed.member) == (None, None, "extract.parquet.age")


def test_each_kind_of_column_has_its_type() -> None:
    """Kinds map to the types of Frictionless; a count says what its secrecy mark and its blank mean."""
    columns = [Column(kind.value, "fr", "en", kind) for kind in Kind]
    fields = {
        field.name: field for field in parse_manifest(manifest(make_facts(columns=columns))).resource.table.fields
    }
    assert {name: field.type for name, field in fields.items()} == {
        "text": "string", "code": "string", "integer": "integer", "decimal": "number", "date": "date",
        "boolean": "boolean", "count": "integer",
    }  # fmt: skip
    assert [one.value for one in fields["count"].missing_values or ()] == ["", "*"]


@given(st.binary(max_size=200))
def test_any_bytes_raise_only_our_error(data: bytes) -> None:
    """Bytes that are no manifest raise ParcelError."""
    with pytest.raises(ParcelError):
        parse_manifest(data)


def test_a_manifest_beyond_its_limit_is_refused() -> None:
    """A manifest of more than 1 MiB is refused before it is parsed."""
    with pytest.raises(ParcelError, match="at most 1048576 bytes"):
        parse_manifest(b" " * (1024 * 1024 + 1))


def test_what_was_sealed_can_be_recorded() -> None:
    """``Sealed`` survives JSON."""
    assert Sealed.from_json(json.loads(json.dumps(SEALED.as_json()))) == SEALED


def test_dates_are_written_as_people_write_them() -> None:
    """The first of the month is ``1er`` in French."""
    created = make_facts().created.date()
    assert (written_date(created, "fr"), written_date(created, "en")) == ("1er mars 2026", "1 March 2026")
    assert written_date(created.replace(day=14), "fr") == "14 mars 2026"
