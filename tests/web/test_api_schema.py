"""The API as it is described: the description is valid OpenAPI 3.1, and schemathesis finds no call that breaks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from passerelle.store.api_tokens import SCOPES
from portal.web.api import every_call
from portal.web.api.calls import Call
from portal.web.api.openapi import described
from tests.gateway import CSP_FILED, Gateway, two_recipients
from tests.web.objects import OWN_PARTY, objects_of
from tests.web.programs import Program, program
from tests.web.visitors import Portal, words

CHECKS = (
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
)  # fmt: skip
EXAMPLES = 140
"""Inputs in all, shared out among the calls; each is sent by three programs."""


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """The portal of a gateway that has delivered one extract to two partners."""
    made = Gateway.create(tmp_path_factory.mktemp("schema"), "2025-05-12T10:00:00+02:00").record(*CSP_FILED).partner(OWN_PARTY)  # fmt: skip
    which = two_recipients(made)
    made.run(which, "2025-05", made.write(which, 30))
    yield Portal(made)
    made.workspace.close()


@pytest.fixture(scope="module")
def programs(portal: Portal) -> list[Program]:
    """A program of every scope, one that may read only, and one whose token is none."""
    return [program(portal, OWN_PARTY, SCOPES), program(portal, OWN_PARTY, ("read",)), Program(portal, "none", "")]


@pytest.fixture(scope="module")
def description(portal: Portal) -> Any:
    """The description, with ids in the paths that are there, so that calls find something."""
    told, objects = described(every_call()), objects_of(portal).found
    for path in told["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                if parameter["in"] == "path" and parameter["name"] in objects:
                    parameter["schema"] = {"anyOf": [{"enum": [*objects[parameter["name"]]]}, parameter["schema"]]}
    loaded = schemathesis.openapi.from_dict(told)
    loaded.app = portal.app
    return loaded


@pytest.mark.parametrize("call", every_call(), ids=lambda call: call.name)
def test_no_call_breaks_its_description(call: Call, description: Any, programs: list[Program]) -> None:
    """Whatever is sent, by whom, the answer is one that is described, in the form that is described, and no server error."""
    share = max(1, EXAMPLES // len(every_call()))

    @settings(max_examples=share, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=description[call.path][call.method].as_strategy())
    def each(case: schemathesis.Case[Any]) -> None:
        for one in programs:
            case.call_and_validate(headers={"authorization": f"Bearer {one.token}"}, checks=list(CHECKS))

    each()


def test_the_description_is_served_and_whole(portal: Portal) -> None:
    """The description is served to anyone, is OpenAPI 3.1, and has every call with its scope and its answers."""
    told: Mapping[str, Any] = portal.stranger().get("/api/v1/openapi.json").json()
    schemathesis.openapi.from_dict(dict(told)).validate()
    assert told["openapi"] == "3.1.0"
    assert {(path, method.upper()) for path, methods in told["paths"].items() for method in methods} == {
        (call.path, call.method) for call in every_call()
    }
    for call in every_call():
        operation = told["paths"][call.path][call.method.lower()]
        assert operation["security"] == [{"token": [call.scope]}]
        assert {str(call.status), "401", "403", "404", "429"} <= operation["responses"].keys()


def test_the_page_that_explains_has_every_call(portal: Portal) -> None:
    """The page has each call with its scope, in French and English, and loads nothing from outside."""
    one = portal.visitor("partner", OWN_PARTY)
    for lang in ("fr", "en"):
        page = words(one.get("/api", headers={"accept-language": lang}))
        assert all(f"{call.method} {call.path}" in page and getattr(call.said, lang) in page for call in every_call())
        assert "curl --header" in page
