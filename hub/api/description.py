"""OpenAPI of what is not FHIR, and the page at /docs made from it.

The page is plain HTML without scripts and without anything from another server: it reads on a
closed network, on paper and aloud. The FHIR side is described by its CapabilityStatement.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, Template

from hub.api.fhir_http import FHIR_JSON, FHIR_XML

Json = dict[str, Any]

OUTCOME: Final[Json] = {
    "description": "What was done, or what is wrong and whose move it is",
    "content": {
        FHIR_JSON: {"schema": {"$ref": "#/components/schemas/OperationOutcome"}},
        FHIR_XML: {"schema": {"type": "string"}},
    },
}
"""A response that is an OperationOutcome."""
ANSWER: Final[Json] = {
    "description": "What was answered: an OperationOutcome, or the resource of a write over FHIR",
    "content": {
        FHIR_JSON: {"schema": {"type": "object", "required": ["resourceType"]}},
        FHIR_XML: {"schema": {"type": "string"}},
    },
}
"""A response that is any resource."""
DOCUMENT: Final[Json] = {
    "requestBody": {
        "required": True,
        "description": "The document as the format has it",
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    },
    "parameters": [
        {
            "name": "Message-Id", "in": "header", "required": False,
            "schema": {"type": "string", "maxLength": 200},
            "description": "The sender's own id of the message; a resend is recognised by it",
        }
    ],
}  # fmt: skip
"""What a route says of a body that is a document (``openapi_extra``)."""

_SCHEMA: Final[Json] = {
    "type": "object",
    "description": "FHIR R4 OperationOutcome",
    "required": ["resourceType", "issue"],
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "required": ["severity", "code", "details"]},
        },
    },
}
_BEARER: Final[Json] = {
    "type": "http", "scheme": "bearer", "description": "One credential per party or operator",
}  # fmt: skip
_OPEN: Final = ("/health/", "/oauth/")
_OAUTH: Final = "/oauth/"
_REFUSED: Final[Json] = {
    "type": "object",
    "description": "A refusal in OAuth's words (RFC 6749, 5.2)",
    "required": ["error"],
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
}
_FHIR: Final = "/fhir/"
_METHODS: Final = ("get", "post", "put", "patch", "delete")


class Described(FastAPI):
    """An application whose OpenAPI document says what it really answers."""

    def openapi(self) -> Json:
        """Every route that is not FHIR; made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _put_right(super().openapi())
        return self.openapi_schema


def _put_right(schema: Json) -> Json:
    """FastAPI's own words on errors are not the hub's: those are OperationOutcomes."""
    schema["paths"] = {p: item for p, item in schema["paths"].items() if not p.startswith(_FHIR)}
    parts = schema.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["OperationOutcome"] = _SCHEMA
    parts["securitySchemes"] = {"credential": _BEARER}
    for path, item in schema["paths"].items():
        for operation in item.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _refusal(path)
            if not path.startswith(_OPEN):
                operation["security"] = [{"credential": []}]
    return schema


def add_page(app: Described) -> None:
    """GET /docs."""

    def page(_: Request) -> HTMLResponse:
        return HTMLResponse(_page().render(schema=app.openapi(), methods=_METHODS))

    app.add_route("/docs", page, include_in_schema=False)


@cache
def _page() -> Template:
    environment = Environment(
        loader=PackageLoader("hub.api"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("docs.html")


def _refusal(path: str) -> Json:
    """An OperationOutcome; of a token in OAuth's own words."""
    if not path.startswith(_OAUTH):
        return OUTCOME
    spoken = {"application/json": {"schema": _REFUSED}}
    return OUTCOME | {"content": OUTCOME["content"] | spoken}
