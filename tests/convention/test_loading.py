"""A convention file is read strictly, and every fault is told at its line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts import registry
from passerelle.convention import Convention, load, load_folder, parse, reading
from passerelle.convention.loading import MAX_BYTES
from passerelle.convention.reading import read
from passerelle.errors import ConventionFileError


@pytest.fixture(scope="session")
def text(root: Path) -> str:
    return (root / "conventions" / "face-pe-2014.yaml").read_text("utf-8")


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(ConventionFileError) as caught:
        parse(text.encode(), "c.yaml")
    return caught.value.faults


def line_of(text: str, words: str) -> int:
    return text[: text.index(words)].count("\n") + 1


def test_the_five_conventions_load(conventions: dict[str, Convention]) -> None:
    """The project ships five conventions, each under its own id."""
    assert sorted(conventions) == [
        "csp-ft-2024", "face-pe-2014", "geiq-amilaura-2024", "oce-ge-charter", "paca-pe-2016",
    ]  # fmt: skip


def test_the_hash_is_that_of_the_file(root: Path) -> None:
    """A convention knows the SHA-256 of the very bytes that it was read from."""
    path = root / "conventions" / "csp-ft-2024.yaml"
    assert load(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_rows_are_handled_by_known_contracts(conventions: dict[str, Convention]) -> None:
    """Every exchange that carries rows names a contract of the project, and only its columns."""
    handled = [
        exchange.handling
        for convention in conventions.values()
        for exchange in convention.exchanges
        if exchange.handling is not None
    ]
    assert len(handled) == 33
    for handling in handled:
        columns = {column.name for column in registry.contract(handling.contract).columns}
        assert {*handling.columns, *handling.pseudonyms} <= columns


REFUSED = [
    ("jurisdiction: FR", "jurisdiction: FR\ncolour: blue", "jurisdiction", 1, "a key of the format", "the unknown key 'colour'"),
    ("hub_role: not_stated", "hub_role: not_stated\nhub_role: not_stated", "hub_role", 1, "each key once", "'hub_role'"),
    ("security: not_stated", "security: not_stated\non: x", "security: not", 1, "a key that is text", "reads as bool"),
    ("governing_law: not_stated", "governing_law: &a not_stated", "governing_law", 0, "no anchor", "an anchor"),
    ("governing_law: not_stated", "governing_law: *a", "governing_law", 0, "the value itself", "an alias"),
    ("governing_law: not_stated", "governing_law: !!str x", "governing_law", 0, "no explicit tag", "a tag"),
    ("governing_law: not_stated", "governing_law: 3", "governing_law", 0, "text", "a whole number"),
    ("governing_law: not_stated", "governing_law: no", "governing_law", 0, "text", "a boolean"),
    ("governing_law: not_stated", "governing_law: 2014-07-10", "governing_law", 0, "text", "a date"),
    ("signed_on: 2014-07-10", 'signed_on: "2014-07-10"', "signature:", 0, "a date", "text"),
    ("signed_on: 2014-07-10", "signed_on: 2014-07-32", "signature:", 0, "a day that exists", "a date that does not"),
    ("signed_on: 2014-07-10", "signed_on: 2014-07-10 10:00:00", "signature:", 0, "text, a whole number", "a timestamp"),
    ("signed_on: 2014-07-10", "signed_on: 0014-07-10", "signature:", 0, "a year from 1900 to 2199", "another"),
    ("jurisdiction: FR", "jurisdiction: DE", "jurisdiction", 0, "'FR' or 'CH-GE'", "another word"),
    ("id: face-pe-2014", "id: Face PE", "id: ", 0, "text of the form", "text in another form"),
    ("latest: {months: 2}", "latest: {months: 2, days: 3}", "latest:", 0, "one of years, months", "2 of them"),
    ("to: [face]", "to: [nobody]", "to: [face]\n", 0, "a party or a third party", "an unknown id"),
    ("requires: [full", "requires: [empty", "requires:", 0, "an instrument or a precondition", "an unknown id"),
    ("sender: pole-emploi", "sender: ministry-of-labour", "sender:", 0, "a sender of this exchange", "another id"),
    ("persons: jobseekers", "persons: none", "- id: video-cv", 0, "whose data they are", "persons: none"),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_fault_is_refused_at_its_line(text: str, case: tuple[str, str, str, int, str, str]) -> None:
    """Each kind of fault is refused with file, line, what was expected and what kind of thing came."""
    old, new, near, below, expected, got = case
    told = faults(text.replace(old, new, 1))
    assert len(told) == 1
    assert told[0].startswith(f"c.yaml:{line_of(text, near) + below}: expected ")
    assert expected in told[0].split(", got ")[0]
    assert got in told[0]


@pytest.mark.parametrize("key", ["clause", "basis"])
def test_a_rule_without_its_ground_is_refused(text: str, key: str) -> None:
    """An exchange without clause or basis is refused, with a hint of what belongs there."""
    start = text.index("  - id: labour-market-information")
    cut = text.index(f"\n    {key}: ", start)
    told = faults(text[:cut] + text[text.index("\n", cut + 1) :])
    line = text[:start].count("\n") + 1
    assert told[0].startswith(f"c.yaml:{line}: expected the key '{key}', got a block without it (hint: ")


def test_a_stated_basis_needs_a_clause(text: str) -> None:
    """What the text states must say where."""
    told = faults(
        text.replace(
            "  basis: hub_policy\n  clause: not_stated\ninterp", "  basis: stated\n  clause: not_stated\ninterp"
        )
    )
    assert "expected a clause, since the basis is stated, got not_stated" in told[0]


def test_all_faults_are_told_at_once(text: str) -> None:
    """One reading tells every fault, in the order of the lines."""
    told = faults(
        text.replace("jurisdiction: FR", "jurisdiction: 3")
        .replace("amendments:", "amendment:")
        .replace("to: [face]", "to: *x")
    )
    kinds = {fault.split(", got ")[1].split(" (hint")[0] for fault in told}
    assert kinds == {"a whole number", "the unknown key 'amendment'", "a block without it", "an alias (*)"}
    lines = [int(fault.split(":")[1]) for fault in told]
    assert lines == sorted(lines)
    assert "did you mean 'amendments'?" in " ".join(told)


def test_messages_never_repeat_a_value(text: str) -> None:
    """A fault tells kinds of things: a value of the file, or a key that is not one of the format's words, stays out."""
    secret = "Jeanne Dupont 0612345678"
    told = faults(
        text.replace("jurisdiction: FR", f"jurisdiction: {secret}")
        .replace("hub_role: not_stated", f"hub_role: not_stated\n{secret}: x\n{secret}: x")
        .replace("signed_on: 2014-07-10", f"signed_on: &{secret.split(maxsplit=1)[0]} {secret}")
    )
    assert len(told) >= 4
    assert not any(word in " ".join(told) for word in secret.split())


def test_a_file_over_the_limit_is_refused(text: str, tmp_path: Path) -> None:
    """A longer file than the limit is not read, and the limit is told in bytes."""
    path = tmp_path / "long.yaml"
    path.write_text(text + "#" * MAX_BYTES)
    with pytest.raises(ConventionFileError, match=f"at most {MAX_BYTES} bytes"):
        load(path)


def test_nested_aliases_are_not_unfolded() -> None:
    """A file that multiplies itself by aliases is refused without being built."""
    lines = ["a: &a [x, x]"] + [f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]" for n in range(20)]
    assert any("an alias" in fault for fault in faults("\n".join(lines)))


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"a: [", b"- 1\n- 2", b"%YAML 1.1\n---\na: 1", b"a: 1\n---\nb: 2", b"a\x00"]
)
def test_what_is_no_convention_is_refused(content: bytes) -> None:
    """Bytes that are no YAML mapping in UTF-8, or more than one document, are refused with our own error."""
    with pytest.raises(ConventionFileError):
        parse(content, "c.yaml")


@pytest.mark.parametrize(
    ("broken", "line"),
    [("a: [1,\n 2\n", 2), ("a: 'b\n\n", 2), ("# nothing\n", 1), ("a: b\n{c\n", 2), ("a:\n\t- b\n", 2)],
)
def test_what_does_not_end_is_told_at_the_last_line(broken: str, line: int) -> None:
    """A fault that is seen at the end of the file is told at a line that the file has, in whole words."""
    (fault,) = read(broken).faults
    assert fault.line == line
    assert "a name" not in fault.got


@pytest.mark.parametrize("line_ends", ["\n", "\r\n"])
def test_both_parsers_read_alike(root: Path, monkeypatch: pytest.MonkeyPatch, line_ends: str) -> None:
    """PyYAML's own parser gives the tree that libyaml gives, where the package comes without it."""
    files = [root / "prefect.yaml", *(root / "conventions").glob("*.yaml")]
    texts = [file.read_text("utf-8").replace("\n", line_ends) for file in files]
    swift = [read(text) for text in texts]
    assert reading._LOADER is yaml.CSafeLoader
    monkeypatch.setattr(reading, "_LOADER", yaml.SafeLoader)
    assert [read(text) for text in texts] == swift
    assert [bool(tree.faults) for tree in swift] == [True] + [False] * 5  # the first has anchors


def test_too_deep_a_file_is_refused() -> None:
    """Nesting has a limit."""
    assert "at most 12 levels" in faults("a: " + "[" * 40 + "]" * 40)[0]


@given(st.binary(max_size=200))
def test_any_bytes_load_or_raise_our_error(content: bytes) -> None:
    """Whatever the bytes, reading them gives a convention or our own error."""
    with pytest.raises(ConventionFileError):
        parse(content, "c.yaml")


@given(st.text(alphabet="ab:-[]{}&*!'\"#|>%@,?\n 0123", max_size=60))
def test_the_reader_never_raises(text: str) -> None:
    """Whatever the text, the reader returns a tree or faults with a line."""
    tree = read(text)
    assert all(fault.line >= 1 for fault in tree.faults)


def test_a_folder_is_refused_whole(root: Path, tmp_path: Path) -> None:
    """Faults of several files, a repeated id and an empty folder are refused together."""
    text = (root / "conventions" / "face-pe-2014.yaml").read_text("utf-8")
    with pytest.raises(ConventionFileError, match="at least one"):
        load_folder(tmp_path)
    (tmp_path / "a.yaml").write_text(text)
    (tmp_path / "b.yaml").write_text(text)
    (tmp_path / "c.yaml").write_text("x: 1")
    with pytest.raises(ConventionFileError) as caught:
        load_folder(tmp_path)
    assert any(fault.startswith("b.yaml:1: expected an id of its own") for fault in caught.value.faults)
    assert any(fault.startswith("c.yaml:1: ") for fault in caught.value.faults)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A file that is not there is our error, not the system's."""
    with pytest.raises(ConventionFileError, match="a file that can be read"):
        load(tmp_path / "none.yaml")


def test_a_loaded_convention_cannot_change(conventions: dict[str, Convention]) -> None:
    """Neither a convention nor its blocks can be changed after loading."""
    with pytest.raises(ValidationError, match="frozen"):
        conventions["csp-ft-2024"].retention.latest.months = 3
