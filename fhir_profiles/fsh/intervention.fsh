// One row of "Indsatser relateret til mål". R4 cannot profile a CarePlan.activity by itself, so the
// row is published as a logical model with its place in a plan; KiPlan and KiSectorPlan bind it.

Logical: KiIntervention
Parent: Element
Id: KiIntervention
Title: "Intervention: one row of a plan"
Description: "One intervention (indsats) as the plan words it. It is not a resource and has no life of its own: it is a CarePlan.activity of KiPlan or KiSectorPlan, and the mapping says which element holds which field. The rules are those of the two profiles."
* id ^short = "Issued by the hub; the row keeps it when it moves"
* rank 0..1 positiveInt "Place in the list, 1 first" "Place in the list, 1 first; document order where none is given"
* section 0..* code "Areas the row is about" "Areas the row is about, set by its author, never inferred"
* section from KiSections (required)
* text 0..1 string "What is done, as written" "What is done, as written; a code, or both, will do as well"
* code 0..1 CodeableConcept "What is done, as a code" "What is done, as a code"
* status 1..1 code "How far it has come" "How far it has come"
* status from http://hl7.org/fhir/ValueSet/care-plan-activity-status (required)
* goal 0..* Reference(KiGoal) "The goals it serves" "The goals it serves: several, or none"
* responsible 0..* Reference "Who does it" "Who does it: a reference, the words as written (display), or both"
* time[x] 0..1 Period or string or Timing "When" "When: as written, or a period with the words beside it"
* timeAsWritten 0..1 string "The plan's words for the time" "The plan's words for the time, beside a period made from them"
* successCriterion 0..1 string "How one can tell that it has worked" "How one can tell that it has worked"
* fallback 0..1 string "Plan B" "What is done instead if it cannot be carried out (plan B)"
* coordination 0..1 boolean "Marked for coordination" "In a sector plan: the owner lets others see the row"

Mapping: InCarePlan
Source: KiIntervention
Target: "https://ki-hub.example/fhir/StructureDefinition/KiPlan"
Id: in-plan
Title: "Its place in a KiPlan; in a KiSectorPlan it is the same"
* -> "CarePlan.activity"
* id -> "CarePlan.activity.id"
* rank -> "CarePlan.activity.extension:rank.value[x]"
* section -> "CarePlan.activity.extension:section.value[x]"
* text -> "CarePlan.activity.detail.description"
* code -> "CarePlan.activity.detail.code"
* status -> "CarePlan.activity.detail.status"
* goal -> "CarePlan.activity.detail.goal"
* responsible -> "CarePlan.activity.detail.performer"
* time[x] -> "CarePlan.activity.detail.scheduled[x]"
* timeAsWritten -> "CarePlan.activity.detail.extension:timeAsWritten.value[x]"
* successCriterion -> "CarePlan.activity.extension:successCriterion.value[x]"
* fallback -> "CarePlan.activity.extension:fallback.value[x]"
* coordination -> "CarePlan.activity.extension:coordination.value[x]" "KiSectorPlan only"
