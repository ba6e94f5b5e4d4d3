// Identifier systems the hub issues.

RuleSet: Naming(id)
* status = #active
* kind = #identifier
* date = "2026-11-23"
* publisher = "KI-hub"
* uniqueId.type = #uri
* uniqueId.value = "https://ki-hub.example/fhir/NamingSystem/{id}"
* uniqueId.preferred = true

Instance: plan
InstanceOf: NamingSystem
Usage: #definition
* name = "KiPlanId"
* description = "The hub's id of a shared plan."
* insert Naming(plan)

Instance: unit
InstanceOf: NamingSystem
Usage: #definition
* name = "KiUnitId"
* description = "The hub's id of a unit that has no SOR code."
* insert Naming(unit)

Instance: related-plan
InstanceOf: NamingSystem
Usage: #definition
* name = "KiRelatedPlanId"
* description = "The hub's id of a plan that a document tells of for information."
* insert Naming(related-plan)

Instance: audit-pseudonym
InstanceOf: NamingSystem
Usage: #definition
* name = "KiAuditPseudonym"
* description = "What the audit trail calls a citizen: a keyed hash that nobody can follow once the key is gone."
* insert Naming(audit-pseudonym)
