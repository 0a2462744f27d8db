"""Signing in at an identity provider on the loopback, and every way in which its answer can be wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from httpx2 import Response
from joserfc.jwk import OctKey, RSAKey

from passerelle.clock import PretendedClock
from passerelle.errors import OurWayError
from passerelle.store import accounts
from portal.web import setup
from portal.web.setup import Setup
from tests.gateway import Gateway
from tests.web import provider as told
from tests.web.provider import ORIGIN, Provider
from tests.web.visitors import Portal, Visitor, words

NOW = "2025-05-05T10:00:00+02:00"
ADA = {"email": "ada@example.org", "roles": ["staff", "gateway-dpo"]}
MAPPED = {"gateway-dpo": "dpo", "gateway-engineer": "engineer", "gateway-partner": "partner"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = Gateway.create(tmp_path_factory.mktemp("provider"), NOW).partner("mtfp").partner("mtss")
    yield made
    made.workspace.close()


@pytest.fixture(scope="module")
def running(gateway: Gateway) -> Iterator[Provider]:
    made = Provider(lambda: gateway.workspace.now().timestamp())
    yield made
    made.close()


@pytest.fixture
def provider(gateway: Gateway, running: Provider) -> Provider:
    """A provider that says who Ada is."""
    gateway.move_to(NOW)
    running.claims, running.header = dict(ADA), {"alg": "RS256", "kid": "one"}
    running.metadata, running.signing = {}, None
    running.beside, running.beside_signed, running.signing_beside = None, True, None
    return running


@pytest.fixture
def portal(gateway: Gateway, provider: Provider) -> Portal:
    """A portal that believes that provider."""
    trusted = setup.Provider(
        provider.issuer, told.CLIENT, told.SECRET, "roles", MAPPED, party_claim="siret", parties={"110": "mtfp"}, acr=["eidas2"]
    )  # fmt: skip
    return Portal(gateway, settings={"setup": Setup(ORIGIN, local_accounts=False, provider=trusted)})


def away(one: Visitor, query: str = "") -> str:
    """Go to the provider, and prove there who one is; the address that leads back."""
    asked = one.get(f"/sign-in/provider?next=/account{query}")
    assert asked.status_code == 303
    answer = httpx2.get(asked.headers["location"], follow_redirects=False)
    assert answer.status_code == 302
    return str(answer.headers["location"]).removeprefix(ORIGIN)


def refused(answer: Response) -> bool:
    return answer.status_code == 400 and "not accepted" in words(answer) and "session" not in str(answer.headers)


def test_who_the_provider_names_is_signed_in(portal: Portal) -> None:
    """Code, PKCE, state and nonce hold: Ada is a DPO, back on the page that she asked for."""
    one = portal.stranger()
    done = one.get(away(one))
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    assert one.session
    assert (one.session.account.name, one.session.account.role) == ("ada@example.org", "dpo")
    assert "kept there" in words(one.get("/account"))


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "another"}, "another audience"),
        ({"aud": [told.CLIENT, "another"]}, "another client"),
        ({"azp": "another"}, "another client"),
        ({"iss": "https://example.org"}, "another issuer"),
        ({"nonce": "another"}, "another sign-in"),
        ({"nonce": None}, "another sign-in"),
        ({"exp": 1}, "not of now"),
        ({"exp": None}, "not of now"),
        ({"exp": "soon"}, "not of now"),
        ({"iat": 1}, "not of now"),
        ({"acr": "eidas1"}, "(acr)"),
        ({"acr": None}, "(acr)"),
        ({"roles": None}, "role of ours, 0"),
        ({"roles": ["staff"]}, "role of ours, 0"),
        ({"roles": ["gateway-dpo", "gateway-engineer"]}, "role of ours, 2"),
        ({"roles": ["gateway-partner"]}, "party of ours, 0"),
        ({"roles": ["gateway-partner"], "siret": "999"}, "party of ours, 0"),
        ({"sub": None}, "name anyone"),
        ({"email": ""}, "name anyone"),
        ({"email": "x" * 81}, "1 to 80"),
    ],
)
def test_a_token_that_is_not_right_is_refused(
    portal: Portal, provider: Provider, claims: dict[str, Any], why: str
) -> None:
    """Each claim counts: audience, issuer, nonce, time, proof, role, party, name."""
    provider.claims = {**ADA, "sub": "wrong", "email": "wrong@example.org", **claims}
    one = portal.stranger()
    answer = one.get(away(one))
    assert answer.status_code == 400
    assert why in words(answer)
    assert not one.session


def of_userinfo(provider: Provider, **said: Any) -> None:
    """The provider tells name and role in its userinfo alone, as ProConnect does, and takes the secret in the form."""
    provider.claims, provider.beside = {}, {**ADA, **said}
    provider.metadata = {
        "userinfo_endpoint": f"{provider.issuer}/userinfo",
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    }


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "plain"])
def test_what_the_token_lacks_is_asked_for(portal: Portal, provider: Provider, signed: bool) -> None:
    """Name and role that only the userinfo has, signed or not, open the account as those of the token do."""
    of_userinfo(provider)
    provider.beside_signed = signed
    one = portal.stranger()
    assert one.get(away(one)).status_code == 303
    assert one.session
    assert (one.session.account.name, one.session.account.role) == ("ada@example.org", "dpo")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"sub": "another"}, "of another person"),
        ({"sub": None}, "of another person"),
        ({"aud": "another"}, "another audience"),
        ({"iss": "https://example.org"}, "another audience"),
        ({"roles": ["staff"]}, "role of ours, 0"),
    ],
)
def test_a_userinfo_that_is_not_right_is_refused(
    portal: Portal, provider: Provider, said: dict[str, Any], why: str
) -> None:
    """It counts for the person and the client of the ID token only (OpenID Connect Core 1.0, section 5.3.2)."""
    of_userinfo(provider, **said)
    one = portal.stranger()
    assert why in words(one.get(away(one)))
    assert not one.session


def test_a_userinfo_of_another_key_or_that_is_refused_opens_nothing(portal: Portal, provider: Provider) -> None:
    """Signed with a key that is not the provider's, or not given for its own token, it is refused."""
    of_userinfo(provider)
    provider.signing_beside = RSAKey.generate_key(2048, {"kid": "one"})
    one = portal.stranger()
    assert refused(one.get(away(one)))
    provider.beside = None
    assert refused(one.get(away(one)))


def test_the_token_decides_over_the_userinfo(portal: Portal, provider: Provider) -> None:
    """What the ID token says of the proof, and of the role, is not changed by the userinfo."""
    of_userinfo(provider, acr="eidas3", roles=["gateway-engineer"])
    provider.claims = {"roles": ["gateway-dpo"]}
    one = portal.stranger()
    one.get(away(one))
    assert one.session
    assert one.session.account.role == "dpo"
    provider.claims = {"acr": "eidas1"}
    assert "(acr)" in words(one.get(away(one)))


@pytest.mark.parametrize("how", ["none", "another key", "shared secret"])
def test_a_signature_that_is_not_the_providers_is_refused(portal: Portal, provider: Provider, how: str) -> None:
    """A token that is not signed, or with a key that is not the provider's, is refused."""
    if how == "none":
        provider.header = {"alg": "none"}
    elif how == "another key":
        provider.signing = RSAKey.generate_key(2048, {"kid": "one"})
    else:
        provider.header = {"alg": "HS256", "kid": "one"}
        provider.signing = OctKey.import_key(str(provider.key.as_dict(private=False)["n"]))
    one = portal.stranger()
    assert refused(one.get(away(one)))


def test_a_state_counts_once_in_its_own_browser(portal: Portal) -> None:
    """A state that is forged, replayed, too old or of another browser is refused (RFC 6749 section 10.12)."""
    one, victim = portal.stranger(), portal.stranger()
    back = away(one)
    assert refused(victim.get(back)), "login CSRF: the attacker's answer in the victim's browser"
    assert refused(one.get(back)), "spent by the try"
    back = away(one)
    assert refused(one.get(back.replace("state=", "state=x")))
    back = away(one)
    assert one.get(back).status_code == 303
    assert refused(one.get(back)), "replayed"
    back = away(one)
    portal.gateway.workspace.clock = PretendedClock(portal.gateway.workspace.now() + timedelta(minutes=11))
    assert refused(one.get(back))


def test_an_answer_of_another_provider_is_refused(portal: Portal, provider: Provider) -> None:
    """An answer that names another issuer, or none where one is promised, is refused (RFC 9207: mix-up)."""
    one = portal.stranger()
    back = away(one)
    assert refused(one.get(back.partition("&iss=")[0] + "&iss=https%3A%2F%2Fexample.org"))
    provider.metadata = {"authorization_response_iss_parameter_supported": True}
    other = Portal(portal.gateway, settings=portal.settings).stranger()
    assert refused(other.get(away(other).partition("&iss=")[0]))


def test_a_code_of_another_sign_in_is_refused(portal: Portal) -> None:
    """A stolen code does not open with another sign-in's verifier (RFC 7636)."""
    one, thief = portal.stranger(), portal.stranger()
    stolen = away(one).partition("code=")[2].partition("&")[0]
    own = away(thief)
    mine = own.partition("code=")[2].partition("&")[0]
    assert refused(thief.get(own.replace(mine, stolen)))


def test_roles_are_those_of_today(portal: Portal, provider: Provider) -> None:
    """A role that changed at the provider changes here with the next sign-in, and ends the sessions before."""
    provider.claims = {"email": "bob@example.org", "sub": "bob", "roles": "gateway-engineer"}
    first, second = portal.stranger(), portal.stranger()
    first.get(away(first))
    assert first.session
    provider.claims = {**provider.claims, "roles": ["gateway-partner"], "siret": "110"}
    second.get(away(second))
    assert second.session
    assert (second.session.account.role, second.session.account.party) == ("partner", "mtfp")
    assert not first.session


def test_a_name_that_is_somebody_elses_is_refused(portal: Portal, provider: Provider) -> None:
    """The provider cannot give someone an account of the gateway, nor another person's."""
    portal.account("carol@example.org", "administrator")
    provider.claims = {**ADA, "sub": "mallory", "email": "Carol@example.org"}
    one = portal.stranger()
    assert one.get(away(one)).status_code == 400
    assert not one.session


def test_a_closed_account_stays_closed(portal: Portal, provider: Provider) -> None:
    """An account that was disabled here does not open at the provider."""
    provider.claims = {**ADA, "sub": "dora", "email": "dora@example.org"}
    one = portal.stranger()
    one.get(away(one))
    with portal.gateway.workspace.database.begin() as connection:
        found = accounts.by_name(connection, "dora@example.org")
        assert found
        accounts.disable(connection, found.id, at=portal.gateway.workspace.now())
    assert not one.session
    assert refused(one.get(away(one)))


def test_asked_again_at_the_provider(portal: Portal, provider: Provider) -> None:
    """What weighs more asks the provider for a new proof: an old one, or another person's, is refused."""
    one = portal.stranger()
    one.get(away(one))
    portal.gateway.workspace.clock = PretendedClock(portal.gateway.workspace.now() + timedelta(minutes=20))
    assert "/sign-in/again" in one.get("/account/factor").headers["location"]
    assert "organisation" in words(one.get("/sign-in/again"))
    provider.claims = {**ADA, "auth_time": int(provider.now()) - 1200}
    assert refused(one.get(away(one, "&again=1")))
    provider.claims = {**ADA, "sub": "another", "email": "another@example.org"}
    assert refused(one.get(away(one, "&again=1")))
    provider.claims = dict(ADA)
    assert one.get(away(one, "&again=1")).status_code == 303
    assert one.session
    assert one.session.proved_at == portal.gateway.workspace.now()


def test_accounts_of_the_gateway_are_turned_off(portal: Portal) -> None:
    """With local_accounts false a password opens nothing, and its pages are not there."""
    portal.armed("local")
    one = portal.stranger()
    assert 'type="password"' not in one.get("/sign-in").text
    assert one.signs_in("local").status_code == 404
    assert one.get("/activate").status_code == 404


def test_a_provider_that_is_silent(portal: Portal, provider: Provider) -> None:
    """A provider that does not answer, or under another name, is our fault and nobody's access."""
    provider.metadata = {"issuer": "https://example.org"}
    one = portal.stranger()
    answer = one.get("/sign-in/provider")
    assert answer.status_code == 500
    assert "does not answer" in words(answer)


def test_the_settings_are_read_strictly(tmp_path: Path) -> None:
    """portal.json says what it must, and nothing else; the secret is in a file of its own that nobody else reads."""
    secret, path = tmp_path / "secret", tmp_path / "portal.json"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    good: dict[str, Any] = {
        "origin": "https://gateway.example.org",
        "local_accounts": False,
        "provider": {
            "issuer": "https://id.example.org/realms/x", "client_id": "passerelle", "client_secret_file": "secret", "acr": ["eidas2"],
            "roles_claim": "realm_access.roles", "roles": MAPPED, "party_claim": "siret", "parties": {"110": "mtfp"},
        },
    }  # fmt: skip
    path.write_text(json.dumps(good))
    read = setup.read(path)
    assert read.provider
    assert (read.provider.client_secret, read.rp_id) == ("s3cret", "gateway.example.org")
    assert "s3cret" not in repr(read)
    assert setup.read(tmp_path / "none.json") == Setup()
    own = good["provider"]
    wrong: list[Any] = [
        [], {"origins": "https://x"}, {**good, "origin": "http://gateway.example.org"}, {**good, "origin": "https://x.org/path"},
        {"origin": 1}, {"local_accounts": False}, {"provider": own}, {**good, "provider": {**own, "acr": []}},
        {**good, "provider": {**own, "roles": {"a": "root"}}}, {**good, "provider": {**own, "parties": {}}},
        {**good, "provider": {**own, "client_secret_file": "absent"}}, {**good, "provider": {**own, "issuer": "http://id.example.org"}},
        {**good, "provider": {**own, "roles": {"a": 1}}}, {**good, "provider": {**own, "acr": [1]}},
    ]  # fmt: skip
    for value in wrong:
        path.write_text(json.dumps(value))
        with pytest.raises(OurWayError):
            setup.read(path)
    path.write_text(json.dumps(good))
    secret.chmod(0o644)
    with pytest.raises(OurWayError):
        setup.read(path)
    assert replace(Setup(), origin="https://x.org").hosts >= {"x.org", "localhost"}


def test_the_example_of_the_page_is_read(tmp_path: Path, root: Path) -> None:
    """The portal.json of docs/portal.md is one that the portal takes."""
    (example,) = re.findall(r"```json\n(.*?)```", (root / "docs" / "portal.md").read_text("utf-8"), re.DOTALL)
    (tmp_path / "portal.json").write_text(example)
    secret = tmp_path / "proconnect.secret"
    secret.write_text("s")
    secret.chmod(0o600)
    assert setup.read(tmp_path / "portal.json").provider
