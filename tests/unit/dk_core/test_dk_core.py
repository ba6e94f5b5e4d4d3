"""dk-core: every form, under its published id, asked of what declares the profile."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dk_core import AUTHORIZATION, BASE, KOMBIT, PROFILES
from hub.fhir import names
from tests.views import VALIDATOR, errors_in

Json = dict[str, Any]
UUID = "urn:uuid:7d0f3a6e-9c0b-5f0e-8a57-1f6f0a3c2b11"


def numbered(kind: str, system: str, value: str) -> Json:
    identifier = [{"system": system, "value": value}]
    profile = {"Patient": "patient", "Organization": "organization"}[kind]
    if kind == "Organization":
        # So that only the number's own form can be wrong.
        identifier.append({"system": names.SOR, "value": "12345678901"})
    return {
        "resourceType": kind,
        "meta": {"profile": [f"{BASE}{profile}"]},
        "identifier": identifier,
        "name": "x" if kind == "Organization" else [{"text": "x"}],
    }


@pytest.mark.parametrize(
    ("rule", "kind", "system", "good", "bad"),
    [
        ("cpr", "Patient", names.CPR, "2902609996", "3002609996"),
        ("cpr", "Patient", names.CPR, "0201609996", "020160-9996"),
        ("x-ecpr", "Patient", names.X_ECPR, "0703921VJ5", "0703920VJ5"),
        ("d-ecpr", "Patient", names.D_ECPR[0], "1206550VK9", "1206551VK9"),
        ("d-ecpr", "Patient", names.D_ECPR[5], "1206556VK9", "120655avk9"),
        ("min-digits-sor", "Organization", names.SOR, "12345678901", "1234567890"),
        ("gln-length", "Organization", names.GLN, "5790009900030", "579000990003"),
        ("gln-length", "Organization", names.GLN_ALIASES[1], "5790009900030", "x"),
        ("gln-modulus-10", "Organization", names.GLN, "5790009900030", "5790009900031"),
        ("dk-core-cvr-identifier", "Organization", names.CVR, "99990015", "99990016"),
        ("dk-core-kombit-org-identifier", "Organization", KOMBIT, UUID, UUID.upper()),
    ],
)
def test_a_number_has_the_form_of_its_system(
    rule: str, kind: str, system: str, good: str, bad: str
) -> None:
    assert errors_in(numbered(kind, system, good)) == []
    (found,) = errors_in(numbered(kind, system, bad))
    assert found.text.startswith(f"{rule}: ")
    assert found.text_da is not None
    assert found.text_da.startswith(f"{rule}: ")
    assert found.expression == f"{kind}.identifier[0].value"
    assert bad not in found.text


@pytest.mark.parametrize(
    ("rule", "resource"),
    [
        ("dk-core-patient", {"resourceType": "Patient"}),
        (
            "dk-core-patient",
            {
                "resourceType": "Patient",
                "identifier": [{"system": "urn:x", "value": "1"}],
                "name": [{"use": "official", "text": "x"}],
            },
        ),
        (
            "dk-core-organization-mandatory-identifier",
            {
                "resourceType": "Organization",
                "identifier": [{"system": names.YDERNUMMER, "value": "057584"}],
            },
        ),
        ("dk-core-organization", {"resourceType": "Organization", "name": "x"}),
        (
            "cpr",
            {
                "resourceType": "RelatedPerson",
                "patient": {"reference": "Patient/1"},
                "identifier": [{"system": names.CPR, "value": "1"}],
            },
        ),
        (
            "dk-core-authorization-identifier",
            {
                "resourceType": "Practitioner",
                "qualification": [
                    {
                        "identifier": [{"system": AUTHORIZATION, "value": "AEIOU"}],
                        "code": {"text": "x"},
                    }
                ],
            },
        ),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_what_a_profile_asks_for(rule: str, resource: Json) -> None:
    kind = resource["resourceType"]
    profile = next(p.url for p in PROFILES if p.type == kind)
    assert errors_in(resource) == []
    assert f"{rule}:" in " ".join(i.text for i in errors_in(resource, profile=profile))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@given(kind=st.sampled_from(PROFILES), value=_JSON, name=_JSON)
def test_any_json_is_judged(kind: Any, value: Any, name: Any) -> None:
    resource = {"resourceType": kind.type, "identifier": value, "name": name, "qualification": name}
    assert isinstance(list(kind.check(resource)), list)
    VALIDATOR.check([resource], profile=kind.url)
