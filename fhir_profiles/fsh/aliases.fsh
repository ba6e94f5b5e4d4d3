Alias: $ki-category = https://ki-hub.example/fhir/CodeSystem/ki-category
Alias: $ki-sector-kind = https://ki-hub.example/fhir/CodeSystem/ki-sector-kind
Alias: $ki-role = https://ki-hub.example/fhir/CodeSystem/ki-role
Alias: $ki-section = https://ki-hub.example/fhir/CodeSystem/ki-section
Alias: $ki-consent-purpose = https://ki-hub.example/fhir/CodeSystem/ki-consent-purpose
Alias: $ki-horizon = https://ki-hub.example/fhir/CodeSystem/ki-horizon
Alias: $ki-observation = https://ki-hub.example/fhir/CodeSystem/ki-observation
Alias: $ki-notice = https://ki-hub.example/fhir/CodeSystem/ki-notice
Alias: $plan-id = https://ki-hub.example/fhir/NamingSystem/plan
Alias: $unit-id = https://ki-hub.example/fhir/NamingSystem/unit

Alias: $cpr = urn:oid:1.2.208.176.1.2
Alias: $x-ecpr = urn:oid:1.2.208.176.1.6.1.1
Alias: $sor = urn:oid:1.2.208.176.1.1

Alias: $consent-scope = http://terminology.hl7.org/CodeSystem/consentscope
Alias: $participation = http://terminology.hl7.org/CodeSystem/v3-ParticipationType
Alias: $audit-type = http://terminology.hl7.org/CodeSystem/audit-event-type
Alias: $audit-entity = http://terminology.hl7.org/CodeSystem/audit-entity-type
Alias: $object-role = http://terminology.hl7.org/CodeSystem/object-role
Alias: $dicom = http://dicom.nema.org/resources/ontology/DCM
Alias: $provenance-agent = http://terminology.hl7.org/CodeSystem/provenance-participant-type
Alias: $interaction = http://hl7.org/fhir/restful-interaction
