// The shared plan and the sectors' own plans.

RuleSet: Intervention
* activity obeys ki-intervention-1
* activity ^short = "Interventions (indsatser), in order"
* activity.extension contains
    KiRank named rank 0..1 and
    KiSection named section 0..* and
    KiSuccessCriterion named successCriterion 0..1 and
    KiFallback named fallback 0..1
* activity.reference 0..0
* activity.detail 1..1
* activity.detail.extension contains KiTimeAsWritten named timeAsWritten 0..1
* activity.detail.description MS
* activity.detail.goal MS
* activity.detail.performer MS
* activity.detail.scheduled[x] MS

Invariant: ki-intervention-1
Description: "An intervention says what is done: in its own words, by a code, or both."
Expression: "detail.description.exists() or detail.code.exists()"
Severity: #error

Profile: KiPlan
Parent: CarePlan
Id: KiPlan
Title: "KI-plan: the shared part"
Description: "The one shared plan of a citizen with both a mental illness and a substance problem. Challenges, goals and interventions are ordered lists; one intervention may serve several goals."
* obeys ki-plan-1 and ki-plan-2 and ki-plan-3 and ki-plan-4 and ki-plan-5 and ki-plan-6 and ki-plan-7 and ki-plan-8
* extension contains
    KiConsentAsWritten named consentAsWritten 0..1 and
    KiLevel named level 0..1 and
    KiAnchoring named anchoring 0..1 and
    KiProposal named proposal 0..1 and
    KiNextMeeting named nextMeeting 0..1 and
    KiPostscript named postscript 0..* and
    KiBaseVersion named baseVersion 0..1
* identifier ^short = "The lead's own case id; the hub's plan id under NamingSystem/plan"
* intent = #plan
* category 1..*
* category ^slicing.discriminator.type = #pattern
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains ki 1..1
* category[ki] = $ki-category#ki-plan
* subject 1..1
* subject only Reference(KiPatient)
* created MS
* author 1..1
* author only Reference(PractitionerRole)
* author ^short = "The lead (tovholder): one function in one unit, the same as in the care team"
* careTeam 1..1
* careTeam only Reference(KiCareTeam)
* addresses MS
* addresses only Reference(KiChallenge)
* addresses ^short = "Challenges (udfordringer), in order"
* addresses.extension contains KiRank named rank 0..1
* supportingInfo MS
* supportingInfo ^short = "The meeting (Appointment) and the status notes (Observation), in document order"
* goal MS
* goal only Reference(KiGoal)
* goal ^short = "Goals (mål), in order"
* goal.extension contains KiRank named rank 0..1
* activity MS
* insert Intervention
* activity.detail.goal only Reference(KiGoal)

Invariant: ki-plan-1
Description: "No two challenges, goals or interventions have the same rank in their list."
Expression: "addresses.extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-rank').value.isDistinct() and goal.extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-rank').value.isDistinct() and activity.extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-rank').value.isDistinct()"
Severity: #error

Invariant: ki-plan-2
Description: "No two interventions have the same id."
Expression: "activity.id.isDistinct()"
Severity: #error

Invariant: ki-plan-3
Description: "The goals of an intervention are goals of the plan."
Expression: "activity.detail.goal.reference.subsetOf(goal.reference)"
Severity: #error

Invariant: ki-plan-4
Description: "The shared part is not also a sector plan."
Expression: "category.coding.where(system = 'https://ki-hub.example/fhir/CodeSystem/ki-sector-kind').empty()"
Severity: #error

Invariant: ki-plan-5
Description: "The template asks for at least one challenge."
Expression: "addresses.exists()"
Severity: #warning

Invariant: ki-plan-6
Description: "The template asks for at least one goal."
Expression: "goal.exists()"
Severity: #warning

Invariant: ki-plan-7
Description: "The template asks for at least one intervention."
Expression: "activity.exists()"
Severity: #warning

Invariant: ki-plan-8
Description: "The template asks for the next meeting."
Expression: "extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-next-meeting').exists()"
Severity: #warning

Profile: KiSectorPlan
Parent: CarePlan
Id: KiSectorPlan
Title: "A sector's own plan"
Description: "The plan one sector keeps by itself; changed only by the unit that owns it. Each part may be marked for coordination; what is not marked never leaves its owner."
* obeys ki-sector-1 and ki-sector-2
* extension contains
    KiSection named section 0..* and
    KiCoordination named coordination 0..1 and
    KiLegalBasis named legalBasis 0..1 and
    KiBaseVersion named baseVersion 0..1
* identifier ^short = "The owner's own case id"
* partOf 0..1
* partOf only Reference(KiPlan)
* partOf ^short = "The shared plan, once attached; never for a koordinationsplan"
* intent = #plan
* category 1..*
* category ^slicing.discriminator.type = #pattern
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains kind 1..1
* category[kind] ^patternCodeableConcept.coding.system = $ki-sector-kind
* category[kind] from KiSectorKinds (required)
* description ^short = "The purpose; shared only when the CarePlan itself is marked for coordination"
* subject 1..1
* subject only Reference(KiPatient)
* author 1..1
* author only Reference(KiOrganization or PractitionerRole)
* author ^short = "The owning unit"
* insert Intervention
* activity.extension contains KiCoordination named coordination 0..1

Invariant: ki-sector-1
Description: "A koordinationsplan is never part of a shared plan: it is made without the citizen's consent."
Expression: "category.coding.where(system = 'https://ki-hub.example/fhir/CodeSystem/ki-sector-kind' and code = 'koordinationsplan').exists() implies partOf.empty()"
Severity: #error

Invariant: ki-sector-2
Description: "No two interventions have the same id."
Expression: "activity.id.isDistinct()"
Severity: #error
