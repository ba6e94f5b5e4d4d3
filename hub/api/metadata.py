"""GET /fhir/metadata (https://hl7.org/fhir/R4/http.html#capabilities): what this server does.

Made from what the application includes (:mod:`hub.api.serves`) and from the search parameters
that search itself uses (:mod:`hub.fhir.parameters`), so that it cannot say anything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request, Response

from hub import __version__
from hub.api.fhir_http import FHIR_JSON, FHIR_XML, WireDep, answer
from hub.api.oauth import token_endpoint
from hub.api.security import HubDep
from hub.api.serves import Described, Interaction, Operation, Service
from hub.contract import Resource
from hub.fhir.parameters import SERVED, Parameter, Served

ROUTER = APIRouter(tags=["fhir"])
_SERVICES = "http://terminology.hl7.org/CodeSystem/restful-security-service"
RELEASED = "2026-11-23"
_SECURITY = (
    "Authorization: Bearer, with a token of SMART Backend Services. What the caller has no legal "
    "basis for does not exist for it: 404, and absent from every search, history and operation."
)


@ROUTER.api_route("/fhir/metadata", methods=["GET", "HEAD"], include_in_schema=False)
def capabilities(request: Request, hub: HubDep, wire: WireDep) -> Response:
    """A CapabilityStatement; open to all, it says nothing about anyone."""
    services: tuple[Service, ...] = request.app.state.serves
    return answer(
        request, wire, statement(services, hub.base_url, smart=token_endpoint(hub) is not None)
    )


def statement(services: Iterable[Service], base: str, *, smart: bool = False) -> Resource:
    """What these services are, in R4's words; ``smart``: clients get tokens, where
    ``/.well-known/smart-configuration`` says."""
    known = tuple(services)
    interactions = [s for s in known if isinstance(s, Interaction)]
    operations = [s for s in known if isinstance(s, Operation)]
    described = [s for s in known if isinstance(s, Described)]
    rest: dict[str, Any] = {
        "mode": "server",
        "security": _security(smart),
        "resource": [
            *(found for kind in SERVED if (found := _resource(kind, interactions, operations))),
            *(_operated(kind, operations) for kind in _only_operated(operations, described)),
            *(_described(d, interactions, operations) for d in described),
        ],
    }
    system = [{"code": i.code} for i in interactions if not i.types]
    if system:
        rest["interaction"] = system
    named = [_operation(o) for o in operations if not o.types]
    if named:
        rest["operation"] = named
    fulfilled = [d.instantiates for d in described if d.instantiates]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": RELEASED,
        "kind": "instance",
        **({"instantiates": fulfilled} if fulfilled else {}),
        "software": {"name": "KI-hub", "version": __version__},
        "implementation": {"description": "KI-hub", "url": base},
        "fhirVersion": "4.0.1",
        "format": [FHIR_JSON, FHIR_XML],
        "rest": [rest],
    }


def _security(smart: bool) -> dict[str, Any]:
    """SMART App Launch 2: the service alone; the addresses are in its own document."""
    known = {"service": [{"coding": [{"system": _SERVICES, "code": "SMART-on-FHIR"}]}]}
    return {**(known if smart else {}), "description": _SECURITY}


def _resource(
    kind: str, interactions: Iterable[Interaction], operations: Iterable[Operation]
) -> dict[str, Any] | None:
    codes = {i.code for i in interactions if kind in i.types}
    if not codes:
        return None
    served = SERVED[kind]
    made: dict[str, Any] = {"type": kind}
    if served.profiles:
        made["supportedProfile"] = list(served.profiles)
    made |= _handled(codes)
    # A change of what is in a plan names the version it was written on (If-Match).
    if "update" in codes and kind != "Consent":
        made["versioning"] = "versioned-update"
    if "create" in codes:
        made["conditionalCreate"] = True
    if "search-type" in codes:
        made |= _search(served)
    return made | _operations(kind, operations)


def _described(
    one: Described, interactions: Iterable[Interaction], operations: Iterable[Operation]
) -> dict[str, Any]:
    codes = {i.code for i in interactions if one.type in i.types}
    told = [{"url": url, "valueCanonical": value} for url, value in one.extensions]
    plain = {"interaction": [{"code": code} for code in sorted(codes)], "versioning": "no-version"}
    return {
        **({"extension": told} if told else {}),
        "type": one.type,
        **({"supportedProfile": list(one.profiles)} if one.profiles else {}),
        **(_handled(codes) if one.versioned else plain),
        "searchParam": [{"name": name, "type": kind} for name, kind in one.parameters],
        **_operations(one.type, operations),
    }


def _handled(codes: set[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"interaction": [{"code": code} for code in sorted(codes)]}
    made |= {"versioning": "versioned", "readHistory": "vread" in codes}
    if "update" in codes:
        made["updateCreate"] = False
    return made | ({"conditionalRead": "full-support"} if "read" in codes else {})


def _operations(kind: str, operations: Iterable[Operation]) -> dict[str, Any]:
    own = [_operation(o) for o in operations if kind in o.types]
    return {"operation": own} if own else {}


def _only_operated(operations: Iterable[Operation], described: Iterable[Described]) -> list[str]:
    """Types that are not stored and still have operations, such as a Bundle to validate."""
    named = {kind for o in operations for kind in o.types}
    return sorted(named - set(SERVED) - {d.type for d in described})


def _operated(kind: str, operations: Iterable[Operation]) -> dict[str, Any]:
    own = [_operation(o) for o in operations if kind in o.types]
    return {"type": kind, "operation": own}


def _search(served: Served) -> dict[str, Any]:
    references = [p.name for p in served.parameters.values() if p.kind == "reference"]
    back = [
        f"{other.type}:{p.name}"
        for other in SERVED.values()
        for p in other.parameters.values()
        if p.kind == "reference" and p.target in {None, served.type}
    ]
    made: dict[str, Any] = {}
    if references:
        made["searchInclude"] = ["*", *(f"{served.type}:{name}" for name in references)]
    return made | {
        "searchRevInclude": back,
        "searchParam": [_parameter(p) for p in served.parameters.values()],
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {"name": parameter.name, "type": parameter.kind}


def _operation(operation: Operation) -> dict[str, Any]:
    return {"name": operation.name, "definition": operation.definition}
