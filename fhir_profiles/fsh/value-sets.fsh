// One value set for each code system, and the two parts of the consent purposes.

RuleSet: Whole(name)
* ^experimental = false
* ^immutable = false
* include codes from system {name}

ValueSet: KiSectorKinds
Id: ki-sector-kind
Title: "Kinds of sector plan"
Description: "All kinds of sector plan."
* insert Whole(KiSectorKindCodes)

ValueSet: KiCategories
Id: ki-category
Title: "Parts of a KI-plan"
Description: "All parts of a KI-plan."
* insert Whole(KiCategoryCodes)

ValueSet: KiRoles
Id: ki-role
Title: "Roles around a KI-plan"
Description: "All roles."
* insert Whole(KiRoleCodes)

ValueSet: KiSections
Id: ki-section
Title: "Sections"
Description: "All sections."
* insert Whole(KiSectionCodes)

ValueSet: KiConsentPurposes
Id: ki-consent-purpose
Title: "Purposes of a consent"
Description: "What a consent may be for; an approval is a record of its own."
* ^experimental = false
* ^immutable = false
* $ki-consent-purpose#make-plan
* $ki-consent-purpose#exchange
* $ki-consent-purpose#relatives
* $ki-consent-purpose#copy-to-gp

ValueSet: KiHorizons
Id: ki-horizon
Title: "Horizon of a goal"
Description: "Both horizons."
* insert Whole(KiHorizonCodes)

ValueSet: KiObservations
Id: ki-observation
Title: "Observations of a KI-plan"
Description: "All kinds of observation."
* insert Whole(KiObservationCodes)

ValueSet: KiEvents
Id: ki-event
Title: "Message events"
Description: "All message events."
* insert Whole(KiEventCodes)

ValueSet: KiNotices
Id: ki-notice
Title: "Notices"
Description: "All kinds of notice."
* insert Whole(KiNoticeCodes)

ValueSet: KiTreatmentEfforts
Id: ki-treatment-effort
Title: "Treatment efforts"
Description: "All kinds of effort in a psychiatric treatment plan."
* insert Whole(KiTreatmentEffortCodes)

ValueSet: KiReceiptOutcomes
Id: ki-receipt-outcome
Title: "Outcomes of a delivery"
Description: "All outcomes."
* insert Whole(KiReceiptOutcomeCodes)

ValueSet: KiModes
Id: ki-mode
Title: "Written or oral"
Description: "Both modes."
* insert Whole(KiModeCodes)

ValueSet: KiGuardianGrounds
Id: ki-guardian-ground
Title: "Grounds of who decides for a citizen"
Description: "All grounds."
* insert Whole(KiGuardianGroundCodes)

ValueSet: KiDecisions
Id: ki-decision
Title: "Decisions"
Description: "All decisions."
* insert Whole(KiDecisionCodes)

ValueSet: KiAnchorings
Id: ki-anchoring
Title: "Anchoring"
Description: "Both sides."
* insert Whole(KiAnchoringCodes)

ValueSet: KiMoves
Id: ki-move
Title: "Whose move it is"
Description: "All who may have to act."
* insert Whole(KiMoveCodes)

ValueSet: KiLegalBases
Id: ki-legal-basis
Title: "Legal bases"
Description: "The legal bases the hub names; others may stand beside them."
* insert Whole(KiLegalBasisCodes)
