"""The FHIR REST API, read side."""
