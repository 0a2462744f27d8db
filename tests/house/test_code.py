"""The code keeps the size and the manners that CONTRIBUTING promises."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

LONGEST_MODULE = 400  # lines
LONGEST_FUNCTION = 60  # lines, decorators not counted
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _functions(trees: dict[str, ast.Module]) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path, tree in trees.items():
        yield from ((path, node) for node in ast.walk(tree) if isinstance(node, _FUNCTIONS))


def test_modules_are_short(texts: dict[str, str], trees: dict[str, ast.Module]) -> None:
    """No module outside the tests is longer than 400 lines."""
    lengths = {path: texts[path].count("\n") for path in trees if not path.startswith("tests/")}
    assert {path: length for path, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_functions_are_short(trees: dict[str, ast.Module]) -> None:
    """No function, test or not, is longer than 60 lines."""
    lengths = [(path, node.name, (node.end_lineno or 0) - node.lineno + 1) for path, node in _functions(trees)]
    assert [found for found in lengths if found[2] > LONGEST_FUNCTION] == []


def test_modules_are_named_after_what_they_hold(trees: dict[str, ast.Module]) -> None:
    """No module is called utils, helpers, misc or common."""
    drawers = {"utils", "util", "helpers", "misc", "common"}
    assert [path for path in trees if PurePosixPath(path).stem in drawers or drawers & set(path.split("/"))] == []


def test_nothing_is_left_for_later(texts: dict[str, str]) -> None:
    """No file says that something is to be done."""
    words = (
        "TO" + "DO",
        "FIX" + "ME",
        "X" * 3,
        "raise NotImplemented" + "Error",
        "coming" + " soon",
        "place" + "holder",
    )
    later = re.compile(rf"\b({'|'.join(words)})\b")
    found = [path for path, text in texts.items() if later.search(text)]
    assert found == []


def test_no_path_of_a_machine_is_written(texts: dict[str, str]) -> None:
    """No file names a folder of one machine."""
    folders = ("work", "root", "home", "farm", "Users")
    machine = re.compile(rf"/(?:{'|'.join(folders)})/\w")
    assert [path for path, text in texts.items() if machine.search(text)] == []


def test_only_the_command_line_ends_the_process(product: dict[str, ast.Module]) -> None:
    """The exit status is chosen in portal/cli.py alone."""
    ends = re.compile(r"\b(sys\.exit|os\._exit|SystemExit|exit\()")
    ended = {path for path, tree in product.items() if ends.search(ast.unparse(_without_strings(tree)))}
    assert ended <= {"portal/cli.py"}


def _without_strings(tree: ast.Module) -> ast.Module:
    class Blank(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.Constant:
            return ast.Constant("") if isinstance(node.value, str) else node

        def visit_JoinedStr(self, _node: ast.JoinedStr) -> ast.Constant:
            return ast.Constant("")

    blank: ast.Module = Blank().visit(ast.parse(ast.unparse(tree)))
    return blank


def test_verification_cannot_be_ignored(trees: dict[str, ast.Module]) -> None:
    """What is called verify_* raises or returns what it verified, never a yes or no."""
    verifiers = [(path, node) for path, node in _functions(trees) if node.name.lstrip("_").startswith("verify")]
    assert verifiers
    assert [(path, n.name) for path, n in verifiers if n.returns is not None and "bool" in ast.unparse(n.returns)] == []


def test_each_silenced_rule_has_its_reason(texts: dict[str, str], trees: dict[str, ast.Module]) -> None:
    """Every ignore in pyproject.toml and every noqa names its rule and says why; so does type-ignore in the product."""
    tables = re.findall(r"^(?:ignore|\"[\w*/.]+\") = \[\n(.*?)^\]", texts["pyproject.toml"], re.MULTILINE | re.DOTALL)
    lines = [line for table in tables for line in table.splitlines() if line.strip()]
    assert len(lines) > 20
    assert [line for line in lines if not re.search(r"#\s*\w+", line)] == []
    comment = re.compile("# (?:no" + r"qa|type: ignore)\b.*")
    reasoned = re.compile("# (?:no" + r"qa: [A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)*|type: ignore\[[\w, -]+\])\W+\w")
    silenced = [(path, found) for path in trees for found in comment.findall(texts[path])]
    silenced = [(path, found) for path, found in silenced if "noqa" in found or not path.startswith("tests/")]
    assert [(path, found) for path, found in silenced if not reasoned.match(found)] == []


def test_tests_say_what_they_show(trees: dict[str, ast.Module]) -> None:
    """Every test has a docstring of one sentence, and can fail."""
    tests = [
        (path, node) for path, node in _functions(trees) if path.startswith("tests/") and node.name.startswith("test")
    ]
    assert len(tests) > 50
    silent = [
        (path, node.name) for path, node in tests if not re.fullmatch(r".+\.", ast.get_docstring(node) or "", re.DOTALL)
    ]
    assert silent == []
    can_fail = re.compile(r"\bassert\b|raises|warns|check|expect|verify")
    asserting = {
        node.name
        for path, node in _functions(trees)
        if path.startswith("tests/") and can_fail.search(ast.unparse(node))
    }
    idle = [(path, node.name) for path, node in tests if node.name not in asserting and not asserting & _called(node)]
    assert idle == []


def _called(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {name.id for name in calls if isinstance(name, ast.Name)}


def test_no_floor_mocks_what_is_ours(texts: dict[str, str], trees: dict[str, ast.Module]) -> None:
    """No test replaces a function of the project by a mock."""
    mocks = re.compile(r"unittest\." + r"mock|\bMagic" + r"Mock\b|mocker\.")
    assert [path for path in trees if mocks.search(texts[path])] == []
