// The citizen's decisions: consent and approval, each a record of its own.

Profile: KiConsent
Parent: Consent
Id: KiConsent
Title: "Consent"
Description: "Who may have what of the plan, for what, from when until when. What no provision permits is denied, and a deny overrides a permit. A bare yes on a printed form is no KiConsent: it lacks giver, mode and units."
* obeys ki-consent-1 and ki-consent-2 and ki-consent-3
* extension contains
    KiMode named mode 1..1 and
    KiModeReason named modeReason 0..1 and
    KiEvidence named evidence 0..1 and
    KiGuardianGround named guardianGround 0..1
* scope = $consent-scope#patient-privacy
* category ^slicing.discriminator.type = #pattern
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains purpose 1..*
* category[purpose] ^patternCodeableConcept.coding.system = $ki-consent-purpose
* category[purpose] from KiConsentPurposes (required)
* patient 1..1
* patient only Reference(KiPatient)
* dateTime 1..1
* performer 1..*
* performer ^short = "Who gave it: the citizen or a guardian"
* policyRule MS
* provision MS
* provision.period MS
* provision.period ^short = "At most one year from the day it was given; the hub lets it lapse then whatever stands here"
* provision.provision ^short = "One permit or deny"
* provision.provision.type 1..1
* provision.provision.period 0..0
* provision.provision.actor 1..*
* provision.provision.actor.role ^short = "v3-ParticipationType#IRCP"
* provision.provision.actor.reference.identifier 1..1
* provision.provision.actor.reference.identifier obeys ki-consent-4
* provision.provision.actor.reference.identifier.system 1..1
* provision.provision.actor.reference.identifier.value 1..1
* provision.provision.action 0..0
* provision.provision.securityLabel from KiSections (required)
* provision.provision.securityLabel ^short = "Only these sections; without a label, all of them"
* provision.provision.purpose 0..0
* provision.provision.class 0..0
* provision.provision.code 0..0
* provision.provision.dataPeriod 0..0
* provision.provision.data 0..0
* provision.provision.provision 0..0

Invariant: ki-consent-1
Description: "An oral consent says why it is not written (sundhedsloven § 44)."
Expression: "extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-mode' and value = 'oral').exists() implies extension.where(url = 'https://ki-hub.example/fhir/StructureDefinition/ki-mode-reason').exists()"
Severity: #error

Invariant: ki-consent-2
Description: "An active consent names the units it covers."
Expression: "status = 'active' implies provision.provision.exists()"
Severity: #error

Invariant: ki-consent-3
Description: "A consent is active, inactive, rejected or entered in error; one that is only proposed is no consent."
Expression: "status = 'active' or status = 'inactive' or status = 'rejected' or status = 'entered-in-error'"
Severity: #error

Invariant: ki-consent-4
Description: "A unit is named by SOR, GLN, ydernummer or the hub's unit id; a CVR number names no unit."
Expression: "system = 'urn:oid:1.2.208.176.1.1' or system = 'https://ki-hub.example/fhir/NamingSystem/unit' or system = 'https://www.gs1.org/gln' or system = 'urn:oid:1.2.208.176.1.4'"
Severity: #error

Profile: KiApproval
Parent: Consent
Id: KiApproval
Title: "Approval"
Description: "The citizen's decision on one version of the plan, with the conditions he or she sets. It holds while the shared part is unchanged; nothing is released by time."
* obeys ki-approval-1 and ki-approval-2
* extension contains
    KiDecision named decision 1..1 and
    KiMode named mode 1..1 and
    KiCondition named condition 0..*
* scope = $consent-scope#treatment
* category ^slicing.discriminator.type = #pattern
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #open
* category contains approval 1..1
* category[approval] = $ki-consent-purpose#approval
* patient 1..1
* patient only Reference(KiPatient)
* dateTime MS
* performer MS
* provision 1..1
* provision.data 1..1
* provision.data.meaning = #instance
* provision.data ^short = "The plan version decided on: CarePlan/<id>/_history/<version>"
* policyRule MS

Invariant: ki-approval-1
Description: "An approval points at one version of the plan."
Expression: "provision.data.reference.reference.matches('^(.*/)?CarePlan/[A-Za-z0-9.-]{1,64}/_history/[0-9]{1,9}$')"
Severity: #error

Invariant: ki-approval-2
Description: "An approval is not also a consent; the two are sent by themselves."
Expression: "category.coding.where(system = 'https://ki-hub.example/fhir/CodeSystem/ki-consent-purpose' and code != 'approval').empty()"
Severity: #error
