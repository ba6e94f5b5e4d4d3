// What the plan refers to: challenges, goals, status notes, the meeting.

Profile: KiChallenge
Parent: Condition
Id: KiChallenge
Title: "Challenge"
Description: "One of the most acute challenges, in the plan's words. It is no diagnosis and belongs on no problem list: a pending court case is a challenge too."
* extension contains
    KiSection named section 0..* and
    KiCoordination named coordination 0..1
* clinicalStatus 0..0
* verificationStatus 0..0
* category 1..*
* category ^slicing.discriminator.type = #pattern
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains ki 1..1
* category[ki] = $ki-category#ki-udfordring
* code 1..1
* code.coding 0..0
* code.text 1..1
* code.text ^short = "The label; the whole text when there is no label"
* subject 1..1
* subject only Reference(KiPatient)
* note MS
* note ^short = "The text, when there is a label"

Profile: KiGoal
Parent: Goal
Id: KiGoal
Title: "Goal"
Description: "One goal, in the plan's words."
* extension contains
    KiSection named section 0..* and
    KiCoordination named coordination 0..1
* category ^slicing.discriminator.type = #pattern
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains horizon 0..1
* category[horizon] ^patternCodeableConcept.coding.system = $ki-horizon
* category[horizon] from KiHorizons (required)
* description.text 1..1
* subject 1..1
* subject only Reference(KiPatient)

Profile: KiStatusNote
Parent: Observation
Id: KiStatusNote
Title: "Status note"
Description: "One actor's own account of how things are (kort aktuel status), the citizen's and the relatives' included."
* extension contains
    KiActorLabel named actorLabel 1..1 and
    KiSection named section 0..* and
    KiCoordination named coordination 0..1
* code = $ki-observation#status-note
* subject 1..1
* subject only Reference(KiPatient)
* performer MS
* value[x] 1..1
* value[x] only string

Profile: KiMeeting
Parent: Appointment
Id: KiMeeting
Title: "Meeting"
Description: "The meeting at which the plan was made. Where only the day is known, start and end are given as absent and the day stands in an extension."
* obeys ki-meeting-1 and ki-meeting-2
* extension contains KiMeetingDate named meetingDate 0..1
* start MS
* end MS
* participant MS
* participant.extension contains KiReason named reason 0..1
* participant.type ^slicing.discriminator.type = #pattern
* participant.type ^slicing.discriminator.path = "$this"
* participant.type ^slicing.rules = #open
* participant.type contains role 0..*
* participant.type[role] ^patternCodeableConcept.coding.system = $ki-role
* participant.type[role] from KiRoles (required)
* participant.actor MS
* participant.status ^short = "accepted: was present; declined: sent apologies, the reason in an extension"

Invariant: ki-meeting-1
Description: "Of a meeting that was held, each participant was present (accepted) or sent apologies (declined)."
Expression: "status = 'fulfilled' implies participant.all(status = 'accepted' or status = 'declined')"
Severity: #error

Invariant: ki-meeting-2
Description: "A meeting whose hour is not known has its day in the extension meeting-date."
Expression: "start.extension.where(url = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason').exists() implies extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-meeting-date').exists()"
Severity: #warning
