// Notices, and the patterns of the hub's own record: who saw what, who did what.

Profile: KiNotice
Parent: Communication
Id: KiNotice
Title: "Notice"
Description: "A message about a plan that holds nothing of it: consent withdrawn, correction, plan ended. The plan is named by the hub's plan id; the citizen is not named."
* category 1..*
* category ^slicing.discriminator.type = #pattern
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains notice 1..1
* category[notice] ^patternCodeableConcept.coding.system = $ki-notice
* category[notice] from KiNotices (required)
* subject 0..0
* about 1..1
* about.identifier 1..1
* about.identifier.system 1..1
* about.identifier.system = $plan-id (exactly)
* about.identifier.value 1..1
* sent 1..1
* recipient 1..1
* sender 1..1
* payload 0..1
* payload.content[x] only string

Profile: KiAuditEvent
Parent: AuditEvent
Id: KiAuditEvent
Title: "Audit event"
Description: "One read, disclosure or denial, after the patterns of IHE BALP (IHE.BasicAudit.PatientRead and its like): the party that asked, the hub that answered, the plan version, the citizen, and the legal basis."
* obeys ki-audit-1
* extension contains KiLegalBasis named legalBasis 0..1
* type ^short = "audit-event-type#rest; for a delivery, object"
* subtype MS
* action 1..1
* outcome 1..1
* outcome ^short = "0 disclosed; 4 or 8 denied, with outcomeDesc"
* purposeOfEvent MS
* agent ^slicing.discriminator.type = #pattern
* agent ^slicing.discriminator.path = "type"
* agent ^slicing.rules = #open
* agent contains party 1..1 and client 0..1 and server 0..1
* agent[party] ^short = "The unit the content went to, or was denied"
* agent[party].type 1..1
* agent[party].type = $participation#IRCP
* agent[party].who 1..1
* agent[party].who.identifier 1..1
* agent[client].type 1..1
* agent[client].type = $dicom#110153
* agent[server].type 1..1
* agent[server].type = $dicom#110152
* entity 2..*
* entity ^slicing.discriminator.type = #pattern
* entity ^slicing.discriminator.path = "type"
* entity ^slicing.rules = #open
* entity contains citizen 1..1 and data 1..*
* entity[citizen].type 1..1
* entity[citizen].type = $audit-entity#1
* entity[citizen].role 1..1
* entity[citizen].role = $object-role#1
* entity[citizen].what 1..1
* entity[citizen].what only Reference(KiPatient)
* entity[data].type 1..1
* entity[data].type = $audit-entity#2
* entity[data].role 1..1
* entity[data].what 1..1
* entity[data].what ^short = "The version that was read: CarePlan/<id>/_history/<version>"

Invariant: ki-audit-1
Description: "What was disclosed was disclosed on a legal basis."
Expression: "outcome = '0' implies extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-legal-basis').exists()"
Severity: #error

Profile: KiProvenance
Parent: Provenance
Id: KiProvenance
Title: "Provenance"
Description: "Who made one version of one part of a plan, out of which document, and when."
* target 1..*
* target ^short = "The versions made: Type/<id>/_history/<version>"
* activity 1..1
* activity ^short = "v3-DataOperation: CREATE or UPDATE"
* agent ^slicing.discriminator.type = #pattern
* agent ^slicing.discriminator.path = "type"
* agent ^slicing.rules = #open
* agent contains author 1..1 and assembler 0..1
* agent[author].type 1..1
* agent[author].type = $provenance-agent#author
* agent[author].who 1..1
* agent[author].who.identifier 1..1
* agent[author] ^short = "The unit whose document it was"
* agent[assembler].type 1..1
* agent[assembler].type = $provenance-agent#assembler
* agent[assembler] ^short = "The hub"
* entity 0..*
* entity ^short = "role source: the document as received, by the sender's message id"
