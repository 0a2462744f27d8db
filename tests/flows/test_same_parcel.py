from __future__ import annotations

import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from flows import assembly
from flows.embedded import run_exchange_flow
from tests.gateway import PACA_SIGNED, STUDIES, Gateway

NOW = "2019-06-03T06:00:00+02:00"
EACH_TIME_NEW = ("cipher_sha256", "cipher_bytes")  # age draws a fresh file key for every file
NOTICES = ("LISEZMOI.txt", "README.txt")  # they quote the cipher's hash


def said(parcel: Path) -> dict[str, Any]:
    """What the parcel's manifest says, but for what encryption draws anew."""
    with tarfile.open(parcel) as tar:
        member = tar.extractfile("manifest.json")
        assert member is not None
        manifest: dict[str, Any] = json.loads(member.read())
    for name in (*EACH_TIME_NEW, "notices"):
        manifest["passerelle"].pop(name)
    return manifest


@pytest.mark.slow
def test_the_flow_gives_the_parcel_of_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same order on the same workspace gives the same parcel, by the engine at once or as a Prefect flow."""
    one = Gateway.create(tmp_path / "one", "2016-03-31T09:00:00+02:00").record(PACA_SIGNED)
    one.partner("region-paca", own_folder=False).move_to(NOW)
    source = one.write(STUDIES, 300)
    one.workspace.keys.keyset("paca-pe-2016")  # parcel ids are keyed: both must hold the same keys
    other = tmp_path / "other"
    shutil.copytree(one.home, other)

    by_engine = one.run(STUDIES, "2019", source)
    monkeypatch.setenv("PASSERELLE_HOME", str(other))
    monkeypatch.setenv("PASSERELLE_NOW", NOW)
    second = assembly.open_workspace()
    order = assembly.place_order(second, one.order(STUDIES, "2019", source))
    second.close()
    by_flow = run_exchange_flow(str(other), order)

    [engine], [flow] = by_engine.as_json()["deliveries"], by_flow["deliveries"]
    assert engine == flow
    assert by_engine.as_json()["counts"] == by_flow["counts"]
    assert said(one.home / engine["location"]) == said(other / flow["location"])
