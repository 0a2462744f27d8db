"""The scripts of the portal: ours small, the vendored library exactly the one that was read, with its licence beside it."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from portal.web.looks import STATIC
from portal.web.site import POLICY

VENDORED = STATIC / "vendor"
OURS = sorted(STATIC.glob("*.js"))
LONGEST = 200  # lines


def test_the_vendored_library_is_the_one_on_record(root: Path) -> None:
    """Its hash and the versions of its packages are those written beside it, its packages those that the script pins, their licences there."""
    about = json.loads((VENDORED / "age.json").read_text("utf-8"))
    assert hashlib.sha256((VENDORED / about["file"]).read_bytes()).hexdigest() == about["sha256"]
    pinned = json.loads((root / "scripts" / "vendor-age.d" / "package.json").read_text("utf-8"))
    assert pinned["dependencies"] == {name: one["version"] for name, one in about["packages"].items()}
    locked = json.loads((root / "scripts" / "vendor-age.d" / "package-lock.json").read_text("utf-8"))["packages"]
    for name, version in {**pinned["dependencies"], **pinned["devDependencies"]}.items():
        assert locked[f"node_modules/{name}"]["version"] == version
        assert locked[f"node_modules/{name}"]["integrity"].startswith("sha512-")
    licences = (VENDORED / "age.LICENSE.txt").read_text("utf-8")
    assert all(f"== {name}\n" in licences for name in about["packages"])
    assert {one["license"] for one in about["packages"].values()} == {"BSD-3-Clause", "MIT"}
    assert sorted(path.name for path in VENDORED.iterdir()) == ["age.LICENSE.txt", "age.js", "age.json"]


@pytest.mark.parametrize("script", [*OURS, VENDORED / "age.js"], ids=lambda path: path.name)
def test_no_script_reaches_out_or_makes_code(script: Path) -> None:
    """No script evaluates text, compiles WebAssembly, or names an address; the policy of the pages would stop it."""
    said = script.read_text("utf-8")
    assert not re.search(
        r"\beval\(|new Function\(|WebAssembly|importScripts|XMLHttpRequest|sendBeacon|localStorage|indexedDB", said
    )
    assert "https://" not in re.sub(r"//.*", "", said) or script.parent == VENDORED
    assert "'unsafe" not in POLICY


def test_our_scripts_are_small_and_import_our_own_files() -> None:
    """Each of our scripts is short, and imports nothing but files of the same folder."""
    assert len(OURS) > 4
    for script in OURS:
        said = script.read_text("utf-8")
        assert said.count("\n") <= LONGEST, script.name
        for imported in re.findall(r'from "([^"]+)"', said):
            assert (STATIC / imported).resolve().is_relative_to(STATIC), script.name
            assert (STATIC / imported).is_file(), script.name
