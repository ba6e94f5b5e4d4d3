"""`make conformance`: the official HL7 validator over everything the hub publishes and emits."""
