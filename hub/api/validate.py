"""POST [type]/$validate and [type]/[id]/$validate
(https://hl7.org/fhir/R4/resource-operation-validate.html): would this be accepted?

Nothing is stored. R4 defines the operation for a type and for an instance, not for the system.
The body is the resource, or a Parameters with ``resource``, ``mode`` and ``profile``. The answer
is 200 with an OperationOutcome, also when the resource is not valid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from hub.api.body import BodyDep
from hub.api.fhir_http import WireDep, address_pairs, answer, known_id, read_body
from hub.api.security import HubDep, PartyDep
from hub.api.serves import STORED, Operation
from hub.contract import Resource
from hub.errors import Issue, Malformed, NotFound
from hub.fhir.kinds import declaring
from hub.fhir.outcome import outcome
from hub.fhir.types import is_resource
from hub.model.party import Viewer
from hub.services.resources import read

ROUTER = APIRouter(tags=["fhir"])
DEFINITION: Final = "http://hl7.org/fhir/OperationDefinition/Resource-validate"
SERVES: Final = (Operation("validate", DEFINITION, (*STORED, "Bundle")),)
_MODES: Final = ("create", "update", "delete", "profile")
"""http://hl7.org/fhir/ValueSet/resource-validation-mode; ``profile`` is the same as none."""


@dataclass(frozen=True)
class _Asked:
    """What is to be validated, and how."""

    resource: Resource | None
    mode: str | None
    profile: str | None


@ROUTER.post("/fhir/{kind}/$validate", include_in_schema=False)
def validate_type(
    kind: str, request: Request, body: BodyDep, hub: HubDep, viewer: PartyDep, wire: WireDep
) -> Response:
    """Against R4, the profiles it declares or the one asked for, and the rules for its mode."""
    if not is_resource(kind):
        raise NotFound("There are no resources of such a type here; see metadata")
    asked = _asked(request, kind, body)
    if asked.mode in {"update", "delete"}:
        raise Malformed("Validate an update or a delete at the instance: [type]/[id]/$validate")
    found = _resource_issues(hub, kind, asked)
    return answer(request, wire, outcome(found))


@ROUTER.post("/fhir/{kind}/{resource_id}/$validate", include_in_schema=False)
def validate_instance(
    kind: str,
    resource_id: str,
    request: Request,
    body: BodyDep,
    hub: HubDep,
    viewer: PartyDep,
    wire: WireDep,
) -> Response:
    """The same for a resource that the caller may read; ``update`` asks for its id as well."""
    # What is there decides only whether there is something to ask about.
    read(hub, Viewer.of(viewer.party), kind, known_id(resource_id))
    asked = _asked(request, kind, body)
    if asked.mode == "delete":
        text = "Nothing is deleted here; send the resource with the status entered-in-error"
        return answer(request, wire, outcome([Issue("error", "not-supported", text, kind)]))
    found = _resource_issues(hub, kind, asked)
    if asked.mode == "update" and asked.resource and asked.resource.get("id") != resource_id:
        text = "The id must be that of the address"
        found = [*found, Issue("error", "value", text, f"{kind}.id")]
    return answer(request, wire, outcome(found))


def _resource_issues(hub: HubDep, kind: str, asked: _Asked) -> list[Issue]:
    if asked.resource is None:
        return [Issue("error", "required", "Send the resource to validate", "Parameters.parameter")]
    if asked.resource.get("resourceType") != kind:
        return [Issue("error", "invalid", "The resource is not of the type in the address", kind)]
    # Who asks whether it could be created or changed is told what the hub would hold it to.
    resource = asked.resource if asked.mode is None else declaring(asked.resource)
    return hub.validator.check([resource], profile=asked.profile)


def _asked(request: Request, kind: str, body: bytes) -> _Asked:
    """From the address and the body, the body first; raises Malformed."""
    named = dict(address_pairs(request, kind))
    resource: Resource | None = read_body(request, body) if body.strip() else None
    mode, profile = named.get("mode"), named.get("profile")
    if kind != "Parameters" and resource and resource.get("resourceType") == "Parameters":
        given = _parameters(resource)
        mode = _code(given.get("mode"), mode)
        profile = _code(given.get("profile"), profile)
        inner = given.get("resource", {}).get("resource")
        resource = inner if isinstance(inner, dict) else None
    if mode is not None and mode not in _MODES:
        raise Malformed("The mode is create, update, delete or profile", at="mode")
    return _Asked(resource, None if mode == "profile" else mode, profile)


def _parameters(resource: Resource) -> dict[str, dict[str, Any]]:
    """The parameters by name; raises Malformed for any that the operation has not."""
    given = resource.get("parameter", [])
    if not isinstance(given, list) or not all(isinstance(p, dict) for p in given):
        raise Malformed("A Parameters has a list of parameters", at="Parameters.parameter")
    found = {str(p.get("name")): p for p in given}
    if set(found) - {"resource", "mode", "profile"} or len(found) != len(given):
        text = "The operation has the parameters resource, mode and profile, each once"
        raise Malformed(text, at="Parameters.parameter")
    return found


def _code(parameter: dict[str, Any] | None, default: str | None) -> str | None:
    """The value of a parameter, of whatever type its sender gave it."""
    if parameter is None:
        return default
    for name in ("valueCode", "valueUri", "valueCanonical", "valueString", "valueUrl"):
        if isinstance(parameter.get(name), str):
            return str(parameter[name])
    raise Malformed("mode is a code, profile a uri", at="Parameters.parameter")
