"""What a check of bounds never uses is not loaded for it, and is there for who uses it."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest

from checks.later import put_off


def test_a_package_that_waits_is_loaded_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that was put off binds a name whose first use loads the package; afterwards nothing stands for it."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with put_off("colorsys"):
        waiting = importlib.import_module("colorsys")
        assert inspect.getmodule(put_off) is sys.modules["checks.later"]  # it asks every module for its file
        assert not hasattr(waiting, "__file__")
    assert "colorsys" not in sys.modules
    assert waiting.rgb_to_hsv(1.0, 0.0, 0.0) == (0.0, 1.0, 1.0)
    assert sys.modules["colorsys"].rgb_to_hsv is waiting.rgb_to_hsv
    with pytest.raises(AttributeError, match="colorsys"):
        _ = waiting.nothing_of_that_name


def test_a_package_that_waits_may_be_used_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread that uses it meanwhile gets the package itself, and so does who imports it next."""
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with put_off("colorsys"):
        assert importlib.import_module("colorsys").hsv_to_rgb(0.0, 1.0, 1.0) == (1.0, 0.0, 0.0)
        assert importlib.import_module("colorsys").__file__
    assert sys.modules["colorsys"].__file__


def test_a_package_that_is_loaded_stays() -> None:
    """Who has loaded it already keeps it, inside and after."""
    with put_off("json", "sys"):
        assert importlib.import_module("json") is sys.modules["json"]
        assert sys.modules["json"].loads("1") == 1
    assert importlib.import_module("sys") is sys


def test_judging_loads_no_plots_and_no_distributions() -> None:
    """Great Expectations judges a profile without what it would draw it with."""
    program = (
        "from checks.judge import judge; from tests.checks.test_judge import HISTORY, NOW, SUITE; import sys;"
        "assert judge(NOW, HISTORY, SUITE).passed;"
        "print(sorted({'altair', 'scipy.stats', 'great_expectations'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "['great_expectations']\n"
