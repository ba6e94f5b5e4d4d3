"""The embedded validator of FHIR R4: base tables, profiles, invariants."""

from hub.fhir.validation.profiles import Profiles, load
from hub.fhir.validation.required import unknown_codes
from hub.fhir.validation.validator import EmbeddedValidator, prepare, published

__all__ = ["EmbeddedValidator", "Profiles", "load", "prepare", "published", "unknown_codes"]
