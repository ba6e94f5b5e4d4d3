// Citizen, units and the care team. The national rules on identifiers are those of dk-core
// (http://hl7.dk/fhir/core), kept under the keys they have there.

Profile: KiPatient
Parent: Patient
Id: KiPatient
Title: "Citizen"
Description: "The citizen, under a CPR number or a replacement number (X-eCPR, D-eCPR). A protected name or address is marked by meta.security v3-Confidentiality#R; whoever has the resource may then not pass address or telephone on."
* obeys ki-patient-1
* meta.security ^short = "v3-Confidentiality#R: name and address are protected"
* meta.security ^comment = "The rule of http://hl7.dk/fhir/core/StructureDefinition/dk-core-patient."
* identifier 1..*
* identifier obeys cpr and x-ecpr and d-ecpr
* identifier ^slicing.discriminator.type = #value
* identifier ^slicing.discriminator.path = "system"
* identifier ^slicing.rules = #open
* identifier contains cpr 0..1 and xEcpr 0..1
* identifier[cpr].system 1..1
* identifier[cpr].system = $cpr (exactly)
* identifier[cpr].value 1..1
* identifier[cpr] ^comment = "See http://hl7.dk/fhir/core/StructureDefinition/dk-core-cpr-identifier; ten digits, no hyphen."
* identifier[xEcpr].system 1..1
* identifier[xEcpr].system = $x-ecpr (exactly)
* identifier[xEcpr].value 1..1
* identifier[xEcpr] ^comment = "See http://hl7.dk/fhir/core/StructureDefinition/dk-core-x-ecpr-identifier."
* name 1..*
* telecom MS
* address MS
* generalPractitioner MS

Invariant: ki-patient-1
Description: "A citizen has a CPR number, an X-eCPR or a D-eCPR."
Expression: "identifier.where((system = 'urn:oid:1.2.208.176.1.2' or system = 'urn:oid:1.2.208.176.1.6.1.1' or system = 'urn:oid:1.2.208.176.1.6.1.3' or system = 'urn:oid:1.2.208.176.1.6.1.3.177' or system = 'urn:oid:1.2.208.176.1.6.1.3.179' or system = 'urn:oid:1.2.208.176.1.6.1.3.181' or system = 'urn:oid:1.2.208.176.1.6.1.3.183' or system = 'urn:oid:1.2.208.176.1.6.1.3.187') and value.exists()).exists()"
Severity: #error

Invariant: cpr
Description: "A CPR number is ten digits, of which the first four are a day and a month (dk-core-cpr-identifier)."
Expression: "(system.exists() and system = 'urn:oid:1.2.208.176.1.2') implies value.matches('^(((0[1-9]|[12][0-9]|3[01])(01|03|05|07|08|10|12))|((0[1-9]|[12][0-9]|30)(04|06|09|11))|((0[1-9]|[12][0-9])02))[0-9]{6}$')"
Severity: #error

Invariant: x-ecpr
Description: "An X-eCPR starts with a date and has 1 or 7, two capital letters and a digit (dk-core-x-ecpr-identifier)."
Expression: "(system.exists() and system = 'urn:oid:1.2.208.176.1.6.1.1') implies value.matches('^(((0[1-9]|[12][0-9]|3[01])(01|03|05|07|08|10|12))|((0[1-9]|[12][0-9]|30)(04|06|09|11))|((0[1-9]|[12][0-9])02))[0-9]{2}[17][A-Z]{2}[0-9]$')"
Severity: #error

Invariant: d-ecpr
Description: "A D-eCPR starts with a date and has 0, 5 or 6, two capital letters and a digit (dk-core-d-ecpr-identifier)."
Expression: "(system.exists() and (system = 'urn:oid:1.2.208.176.1.6.1.3' or system = 'urn:oid:1.2.208.176.1.6.1.3.177' or system = 'urn:oid:1.2.208.176.1.6.1.3.179' or system = 'urn:oid:1.2.208.176.1.6.1.3.181' or system = 'urn:oid:1.2.208.176.1.6.1.3.183' or system = 'urn:oid:1.2.208.176.1.6.1.3.187')) implies value.matches('^(((0[1-9]|[12][0-9]|3[01])(01|03|05|07|08|10|12))|((0[1-9]|[12][0-9]|30)(04|06|09|11))|((0[1-9]|[12][0-9])02))[0-9]{2}[056][A-Z]{2}[0-9]$')"
Severity: #error

Profile: KiOrganization
Parent: Organization
Id: KiOrganization
Title: "Unit"
Description: "An organisational unit: an office, a centre, a practice. It is the unit of consent, ownership and access, so it is named by a number of its own; a CVR number or a municipality code names no unit."
* obeys ki-organization-1 and dk-core-organization-mandatory-identifier
* identifier 1..*
* identifier ^short = "SOR (urn:oid:1.2.208.176.1.1), GLN, ydernummer, or the hub's own NamingSystem/unit"
* name 1..1
* telecom MS

Invariant: ki-organization-1
Description: "A unit is named by SOR, GLN, ydernummer or the hub's unit id."
Expression: "identifier.where((system = 'urn:oid:1.2.208.176.1.1' or system = 'https://ki-hub.example/fhir/NamingSystem/unit' or system = 'https://www.gs1.org/gln' or system = 'urn:oid:1.2.208.176.1.4') and value.exists()).exists()"
Severity: #error

Invariant: dk-core-organization-mandatory-identifier
Description: "dk-core asks for a SOR, KOMBIT, 1.3.198 or CVR identifier. A unit without one is legal here and goes to no one who demands dk-core."
Expression: "identifier.where(system = 'urn:oid:1.2.208.176.1.1' or system = 'https://kombit.dk/sts/organisation' or system = 'urn:oid:1.3.198' or system = 'http://cvr.dk').exists()"
Severity: #warning

Profile: KiCareTeam
Parent: CareTeam
Id: KiCareTeam
Title: "Everyone around the citizen"
Description: "The citizen, relatives, the lead and all others of the plan, each with roles and contact data as written. Exactly one is the lead."
* obeys ki-care-team-1
* subject 1..1
* subject only Reference(KiPatient)
* participant 1..*
* participant obeys ki-care-team-2
* participant.role ^slicing.discriminator.type = #pattern
* participant.role ^slicing.discriminator.path = "$this"
* participant.role ^slicing.rules = #open
* participant.role contains ki 0..*
* participant.role[ki] ^patternCodeableConcept.coding.system = $ki-role
* participant.role[ki] from KiRoles (required)
* participant.member MS
* participant.period MS

Invariant: ki-care-team-1
Description: "Exactly one participant is the lead (tovholder)."
Expression: "participant.where(role.coding.where(system = 'https://ki-hub.example/fhir/CodeSystem/ki-role' and code = 'lead').exists()).count() = 1"
Severity: #error

Invariant: ki-care-team-2
Description: "Each participant has a role in the plan."
Expression: "role.coding.where(system = 'https://ki-hub.example/fhir/CodeSystem/ki-role').exists()"
Severity: #warning
