"""The codes that R4 itself asks for, for a format whose own rules are in code."""

from __future__ import annotations

from functools import cache

from hub.contract import Resource
from hub.errors import Issue
from hub.fhir.kinds import undeclared
from hub.fhir.validation.validator import EmbeddedValidator


def unknown_codes(resource: Resource) -> tuple[Issue, ...]:
    """Every place with a code that R4 4.0.1 binds as required to others, by FHIRPath.

    The profiles that the resource, or a part of it, declares are left out of account.
    """
    found = _validator().check([undeclared(resource)])
    return tuple(issue for issue in found if issue.code == "code-invalid")


@cache
def _validator() -> EmbeddedValidator:
    return EmbeddedValidator(by_fhirpath=False)
