"""What the documents say is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path, PurePosixPath

import pytest


@pytest.fixture(scope="module")
def pages(texts: dict[str, str]) -> dict[str, str]:
    """The documents of the checkout."""
    found = {path: text for path, text in texts.items() if path.endswith(".md")}
    assert {"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/threats.md"} <= found.keys()
    return found


def test_make_targets_named_anywhere_exist(pages: dict[str, str], texts: dict[str, str]) -> None:
    """Each `make …` of a document is a target that `make help` explains."""
    explained = set(re.findall(r"^(\w+):.*?## ", texts["Makefile"], re.MULTILINE))
    named = {name for text in pages.values() for name in re.findall(r"(?:`|^\s*)make (\w+)", text, re.MULTILINE)}
    assert {"demo", "test", "lint", "bench", "help"} <= named & explained
    assert named - explained == set()


def test_the_continuous_integration_runs_what_the_readme_says(texts: dict[str, str]) -> None:
    """.ci/run calls the README's test command, and lint."""
    assert {"make lint", "make test"} <= set(texts[".ci/run"].splitlines())
    assert "make test" in texts["README.md"]


def test_the_first_screen_of_the_readme_has_the_two_commands(texts: dict[str, str]) -> None:
    """The first 24 lines of the README say what Passerelle is, for whom, and the two commands."""
    screen = "\n".join(texts["README.md"].splitlines()[:24])
    assert all(words in screen for words in ("make demo", "make test", "data engineer", "DPO", "partner"))


def test_links_lead_somewhere(root: Path, pages: dict[str, str]) -> None:
    """Each relative link of a document leads to a file, and each anchor to a heading."""
    links = [
        (page, *link.partition("#")[::2])
        for page, text in pages.items()
        for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        if "://" not in link and not link.startswith("mailto:")
    ]
    assert len(links) > 10
    broken = []
    for page, path, anchor in links:
        target = (root / PurePosixPath(page).parent / path).resolve() if path else root / page
        if not target.exists() or (anchor and anchor not in _anchors(target.read_text("utf-8"))):
            broken.append((page, path, anchor))
    assert broken == []


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_files_named_in_the_documents_exist(root: Path, pages: dict[str, str]) -> None:
    """Each path of the project that a document names in code exists."""
    named = {
        (page, path)
        for page, text in pages.items()
        for path in re.findall(
            r"`((?:portal|flows|retention|checks|contracts|passerelle|tests|docs|benchmarks|scripts)/[\w./-]+\.\w+)`",
            text,
        )
    }
    assert named
    assert {(page, path) for page, path in named if not (root / path).exists()} == set()


def test_decisions_are_numbered_without_a_gap(root: Path) -> None:
    """The decisions are numbered from 0001, each number once, and each says its status."""
    decisions = sorted((root / "docs" / "decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in decisions]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 2
    assert [path.name for path in decisions if not re.search(r"^Status: \w+", path.read_text(), re.MULTILINE)] == []


def test_the_changelog_is_kept(texts: dict[str, str]) -> None:
    """The changelog opens with what is not yet released, in the form of Keep a Changelog."""
    headings = re.findall(r"^## (.+)$", texts["CHANGELOG.md"], re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", heading) for heading in headings[1:])
    parts = set(re.findall(r"^### (.+)$", texts["CHANGELOG.md"], re.MULTILINE))
    assert parts <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_every_threat_is_answered_by_a_test(texts: dict[str, str], trees: dict[str, ast.Module]) -> None:
    """Each row of docs/threats.md has a threat, a control, a default and tests, and each test it names is collected."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in texts["docs/threats.md"].partition("## Role matrix")[0].splitlines()
        if line.startswith("| ") and not line.startswith(("| Threat", "| ---"))
    ]
    assert len(rows) >= 15
    assert [row for row in rows if len(row) != 4 or not all(row)] == []
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row[3])
        assert named, row[0]
        for path, test in named:
            assert path in trees, f"{row[0]}: {path}"
            assert test in {node.name for node in trees[path].body if isinstance(node, ast.FunctionDef)}, (
                f"{row[0]}: {test}"
            )
            assert test.startswith("test_")
            assert PurePosixPath(path).name.startswith("test_")
