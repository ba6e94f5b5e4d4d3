// Search parameters that R4 does not have. A server's CapabilityStatement says which it answers.

RuleSet: Search(code, type)
* status = #active
* experimental = false
* publisher = "KI-hub"
* date = "2026-11-23"
* code = #{code}
* type = #{type}

Instance: ki-author
InstanceOf: SearchParameter
Usage: #definition
* url = "https://ki-hub.example/fhir/SearchParameter/ki-author"
* name = "KiAuthor"
* description = "Plans by their author: the lead of a shared plan, the owner of a sector plan."
* insert Search(author, reference)
* base = #CarePlan
* expression = "CarePlan.author"
* xpathUsage = #normal
* target[0] = #PractitionerRole
* target[1] = #Organization

Instance: ki-section
InstanceOf: SearchParameter
Usage: #definition
* url = "https://ki-hub.example/fhir/SearchParameter/ki-section"
* name = "KiSection"
* description = "Items by their section label."
* insert Search(section, token)
* base[0] = #CarePlan
* base[1] = #Condition
* base[2] = #Goal
* base[3] = #Observation
* expression = "CarePlan.extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-section').value | CarePlan.activity.extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-section').value | Condition.extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-section').value | Goal.extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-section').value | Observation.extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-section').value"
* xpathUsage = #normal

Instance: ki-level
InstanceOf: SearchParameter
Usage: #definition
* url = "https://ki-hub.example/fhir/SearchParameter/ki-level"
* name = "KiLevel"
* description = "Plans by coordination level."
* insert Search(level, number)
* base = #CarePlan
* expression = "CarePlan.extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-level').value"
* xpathUsage = #normal

Instance: ki-next-meeting
InstanceOf: SearchParameter
Usage: #definition
* url = "https://ki-hub.example/fhir/SearchParameter/ki-next-meeting"
* name = "KiNextMeeting"
* description = "Plans by the latest day of their next meeting."
* insert Search(next-meeting, date)
* base = #CarePlan
* expression = "CarePlan.extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-next-meeting').extension.where(url = 'latest').value"
* xpathUsage = #normal

Instance: ki-decision
InstanceOf: SearchParameter
Usage: #definition
* url = "https://ki-hub.example/fhir/SearchParameter/ki-decision"
* name = "KiDecision"
* description = "Approvals by what the citizen decided."
* insert Search(decision, token)
* base = #Consent
* expression = "Consent.extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-decision').value"
* xpathUsage = #normal

Instance: ki-plan
InstanceOf: SearchParameter
Usage: #definition
* url = "https://ki-hub.example/fhir/SearchParameter/ki-plan"
* name = "KiPlan"
* description = "Notices by the plan they are about."
* insert Search(plan, token)
* base = #Communication
* expression = "Communication.about.identifier"
* xpathUsage = #normal
