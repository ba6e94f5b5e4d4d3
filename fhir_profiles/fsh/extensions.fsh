// Extensions of one value.

Extension: KiRank
Id: ki-rank
Title: "Rank"
Description: "The place of an item in its ordered list, 1 first. Where none is given, document order is the order."
Context: CarePlan.addresses, CarePlan.goal, CarePlan.activity
* value[x] only positiveInt
* value[x] 1..1

Extension: KiSection
Id: ki-section
Title: "Section"
Description: "The area an item is about, as its author labelled it. An item without a label, or with several, goes only to receivers permitted for all of them."
Context: CarePlan, CarePlan.activity, Condition, Goal, Observation
* value[x] only code
* value[x] 1..1
* valueCode from KiSections (required)

Extension: KiLevel
Id: ki-level
Title: "Level"
Description: "The coordination level of the plan, 0 to 3 (niveau)."
Context: CarePlan
* value[x] only integer
* value[x] 1..1
* valueInteger ^minValueInteger = 0
* valueInteger ^maxValueInteger = 3

Extension: KiAnchoring
Id: ki-anchoring
Title: "Anchoring"
Description: "Whether the region or the municipality holds the plan (forankring)."
Context: CarePlan
* value[x] only code
* value[x] 1..1
* valueCode from KiAnchorings (required)

Extension: KiLegalBasis
Id: ki-legal-basis
Title: "Legal basis"
Description: "The consent or statute under which a sector plan, or what an audit event tells of, is disclosed."
Context: CarePlan, AuditEvent
* value[x] only Coding
* value[x] 1..1
* valueCoding from KiLegalBases (extensible)

Extension: KiBaseVersion
Id: ki-base-version
Title: "Base version"
Description: "The plan version that the sender wrote on. The hub reads it and does not keep it on the plan."
Context: CarePlan
* value[x] only integer
* value[x] 1..1
* valueInteger ^minValueInteger = 1

Extension: KiCoordination
Id: ki-coordination
Title: "Marked for coordination"
Description: "True: the owner lets others see this item. False or absent: it never leaves its owner. On a CarePlan it covers description and period."
Context: CarePlan, CarePlan.activity, Condition, Goal, Observation
* value[x] only boolean
* value[x] 1..1

Extension: KiActorLabel
Id: ki-actor-label
Title: "Actor as written"
Description: "The heading of a status note, as the plan has it."
Context: Observation
* value[x] only string
* value[x] 1..1

Extension: KiTimeAsWritten
Id: ki-time-as-written
Title: "Time as written"
Description: "The plan's own words for the time, beside a period made from them."
Context: CarePlan.activity.detail
* value[x] only string
* value[x] 1..1

Extension: KiSuccessCriterion
Id: ki-success-criterion
Title: "Success criterion"
Description: "How one can tell that an intervention has worked."
Context: CarePlan.activity
* value[x] only string
* value[x] 1..1

Extension: KiFallback
Id: ki-fallback
Title: "Fallback"
Description: "What is done instead if an intervention cannot be carried out (plan B)."
Context: CarePlan.activity
* value[x] only string
* value[x] 1..1

Extension: KiMeetingDate
Id: ki-meeting-date
Title: "Meeting date"
Description: "The day of a meeting whose hour is not known."
Context: Appointment
* value[x] only date
* value[x] 1..1

Extension: KiReason
Id: ki-reason
Title: "Reason"
Description: "Why a participant declined, as written."
Context: Appointment.participant
* value[x] only string
* value[x] 1..1

Extension: KiConsentAsWritten
Id: ki-consent-as-written
Title: "Consent as written"
Description: "What a printed plan says about consent. It permits nothing by itself."
Context: CarePlan
* value[x] only string
* value[x] 1..1

Extension: KiMode
Id: ki-mode
Title: "Mode"
Description: "Whether a decision was given in writing or orally."
Context: Consent
* value[x] only code
* value[x] 1..1
* valueCode from KiModes (required)

Extension: KiModeReason
Id: ki-mode-reason
Title: "Reason for an oral consent"
Description: "Why the consent is not written."
Context: Consent
* value[x] only string
* value[x] 1..1

Extension: KiGuardianGround
Id: ki-guardian-ground
Title: "Ground of who decides for the citizen"
Description: "Why a consent that another than the citizen gave, or gave as well, counts."
Context: Consent
* value[x] only code
* value[x] 1..1
* valueCode from KiGuardianGrounds (required)

Extension: KiEvidence
Id: ki-evidence
Title: "Evidence"
Description: "Where the decision can be seen, and who registered it."
Context: Consent
* value[x] only string
* value[x] 1..1

Extension: KiDecision
Id: ki-decision
Title: "Decision"
Description: "The citizen's decision on one plan version."
Context: Consent
* value[x] only code
* value[x] 1..1
* valueCode from KiDecisions (required)

Extension: KiMove
Id: ki-move
Title: "Whose move it is"
Description: "Who must act on the errors of this outcome."
Context: OperationOutcome
* value[x] only code
* value[x] 1..1
* valueCode from KiMoves (required)
