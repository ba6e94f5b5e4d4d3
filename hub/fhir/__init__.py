"""FHIR R4 without HTTP and without a database."""
