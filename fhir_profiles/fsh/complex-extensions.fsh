// Extensions of several values.

Extension: KiProposal
Id: ki-proposal
Title: "Proposal"
Description: "When and by whom the plan was proposed (indstilling)."
Context: CarePlan
* extension contains date 0..1 and by 0..1
* extension[date].value[x] only date
* extension[date].value[x] 1..1
* extension[by].value[x] only string
* extension[by].value[x] 1..1

Extension: KiNextMeeting
Id: ki-next-meeting
Title: "Next meeting"
Description: "The next meeting as the plan words it, with the days that can be read from it and who convenes it. Conveners may take turns, from one event to another."
Context: CarePlan
* obeys ki-next-meeting-1
* extension contains time 0..1 and earliest 0..1 and latest 0..1 and place 0..1 and convener 0..*
* extension[time].value[x] only string
* extension[time].value[x] 1..1
* extension[earliest].value[x] only date
* extension[earliest].value[x] 1..1
* extension[latest].value[x] only date
* extension[latest].value[x] 1..1
* extension[place].value[x] only string
* extension[place].value[x] 1..1
* extension[convener].extension contains who 0..1 and role 0..1 and from 0..1 and until 0..1
* extension[convener].extension[who].value[x] only string
* extension[convener].extension[who].value[x] 1..1
* extension[convener].extension[role].value[x] only Reference(PractitionerRole)
* extension[convener].extension[role].value[x] 1..1
* extension[convener].extension[from].value[x] only string
* extension[convener].extension[from].value[x] 1..1
* extension[convener].extension[until].value[x] only string
* extension[convener].extension[until].value[x] 1..1

Invariant: ki-next-meeting-1
Description: "A next meeting says when: in the plan's own words, as a latest day, or both."
Expression: "extension.where(url = 'time' or url = 'latest').exists()"
Severity: #error

Extension: KiPostscript
Id: ki-postscript
Title: "Postscript"
Description: "What was added to the plan after the meeting (efterskrift)."
Context: CarePlan
* extension contains text 1..1 and author 0..1 and date 0..1
* extension[text].value[x] only string
* extension[text].value[x] 1..1
* extension[author].value[x] only string
* extension[author].value[x] 1..1
* extension[date].value[x] only dateTime
* extension[date].value[x] 1..1

Extension: KiCondition
Id: ki-condition
Title: "Condition of an approval"
Description: "What the citizen wants first, what it holds back (a role, or a unit's id; the general practitioner where nothing is said), and when it is met by whose word. Nothing is released by time."
Context: Consent
* extension contains text 1..1 and holds-back 0..1 and met 0..1 and met-by 0..1
* extension[text].value[x] only string
* extension[text].value[x] 1..1
* extension[holds-back].value[x] only code
* extension[holds-back].value[x] 1..1
* extension[met].value[x] only dateTime
* extension[met].value[x] 1..1
* extension[met-by].value[x] only string
* extension[met-by].value[x] 1..1
