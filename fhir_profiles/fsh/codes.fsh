// Code systems: Danish is the language of the plan, English the language of integrators.

RuleSet: Concept(code, da, en)
* #{code} {da}
* #{code} ^designation[0].language = #da
* #{code} ^designation[0].value = {da}
* #{code} ^designation[1].language = #en
* #{code} ^designation[1].value = {en}

RuleSet: ClosedList
* ^language = #da
* ^experimental = false
* ^caseSensitive = true
* ^content = #complete

CodeSystem: KiCategoryCodes
Id: ki-category
Title: "Parts of a KI-plan"
Description: "What a CarePlan or a Condition is in the shared plan."
* insert ClosedList
* insert Concept(ki-plan, [["Koordinerende indsatsplan"]], [["Coordinating plan"]])
* insert Concept(ki-udfordring, [["Udfordring"]], [["Challenge"]])

CodeSystem: KiSectorKindCodes
Id: ki-sector-kind
Title: "Kinds of sector plan"
Description: "One code for each kind of plan that a sector keeps by itself."
* insert ClosedList
* insert Concept(behandlingsplan, [["Behandlingsplan"]], [["Psychiatric treatment plan"]])
* insert Concept(vum, [["VUM"]], [["Municipal assessment and order of social interventions"]])
* insert Concept(handleplan-141, [["Handleplan efter serviceloven § 141"]], [["Social action plan under serviceloven § 141"]])
* insert Concept(udskrivningsaftale, [["Udskrivningsaftale"]], [["Discharge agreement under psykiatriloven § 13 a"]])
* insert Concept(koordinationsplan, [["Koordinationsplan"]], [["Coordination plan under psykiatriloven § 13 b"]])
* insert Concept(jobplan, [["Jobplan"]], [["Employment plan"]])
* insert Concept(rehabiliteringsplan, [["Rehabiliteringsplan"]], [["Rehabilitation plan"]])
* insert Concept(plejeplan, [["Plejeplan"]], [["Nursing plan"]])
* insert Concept(opholdsplan, [["Opholdsplan"]], [["Plan for a stay at a shelter or crisis centre"]])
* insert Concept(misbrugsbehandlingsplan, [["Misbrugsbehandlingsplan"]], [["Substance treatment plan"]])

CodeSystem: KiRoleCodes
Id: ki-role
Title: "Roles around a KI-plan"
Description: "What a participant is in the care team or at a meeting; one person may have several."
* insert ClosedList
* insert Concept(citizen, [["Borger"]], [["Citizen"]])
* insert Concept(relative, [["Pårørende"]], [["Relative"]])
* insert Concept(spokesperson, [["Talsperson"]], [["Spokesperson"]])
* insert Concept(lead, [["Tovholder"]], [["Lead"]])
* insert Concept(deputy, [["Stedfortræder for tovholder"]], [["Deputy of the lead"]])
* insert Concept(chair, [["Mødeleder"]], [["Chair"]])
* insert Concept(minutes, [["Referent"]], [["Minutes taker"]])
* insert Concept(coordinator, [["Koordinator"]], [["Coordinator"]])
* insert Concept(professional, [["Fagperson"]], [["Professional"]])
* insert Concept(gp, [["Egen læge"]], [["General practitioner"]])
* insert Concept(receiver, [["Modtager"]], [["Receiver"]])

CodeSystem: KiSectionCodes
Id: ki-section
Title: "Sections"
Description: "The area of life an item is about; set by its author, never inferred from its text."
* insert ClosedList
* insert Concept(psychiatry, [["Psykiatri"]], [["Psychiatry"]])
* insert Concept(substance-use, [["Rusmidler"]], [["Substance use"]])
* insert Concept(social, [["Sociale forhold"]], [["Social matters"]])
* insert Concept(crime, [["Kriminalitet"]], [["Crime"]])
* insert Concept(economy, [["Økonomi"]], [["Economy"]])
* insert Concept(health, [["Helbred"]], [["Health"]])

CodeSystem: KiConsentPurposeCodes
Id: ki-consent-purpose
Title: "What a citizen's decision is for"
Description: "Purposes of a consent, and the approval of a plan."
* insert ClosedList
* insert Concept(make-plan, [["At udarbejde planen"]], [["Making the plan"]])
* insert Concept(exchange, [["Udveksling mellem navngivne enheder"]], [["Exchange between named units"]])
* insert Concept(relatives, [["Inddragelse af pårørende"]], [["Involving relatives"]])
* insert Concept(copy-to-gp, [["Kopi til egen læge"]], [["Copy to the general practitioner"]])
* insert Concept(approval, [["Godkendelse af planen"]], [["Approval of the plan"]])

CodeSystem: KiHorizonCodes
Id: ki-horizon
Title: "Horizon of a goal"
Description: "Whether a goal is meant for the near or the far future."
* insert ClosedList
* insert Concept(short, [["Kort sigt"]], [["Short term"]])
* insert Concept(long, [["Lang sigt"]], [["Long term"]])

CodeSystem: KiObservationCodes
Id: ki-observation
Title: "Observations of a KI-plan"
Description: "What an Observation of the plan is."
* insert ClosedList
* insert Concept(status-note, [["Kort aktuel status"]], [["Status note"]])

CodeSystem: KiEventCodes
Id: ki-event
Title: "Message events"
Description: "Events of the messages that carry a KI-plan."
* insert ClosedList
* insert Concept(plan-update, [["Ny eller ændret plan"]], [["New or changed plan"]])

CodeSystem: KiNoticeCodes
Id: ki-notice
Title: "Notices"
Description: "What a receiver is told about a plan without its content."
* insert ClosedList
* insert Concept(consent-withdrawn, [["Samtykke trukket tilbage"]], [["Consent withdrawn"]])
* insert Concept(consent-narrowed, [["Samtykke indsnævret"]], [["Consent narrowed"]])
* insert Concept(correction, [["Rettelse"]], [["Correction"]])
* insert Concept(plan-ended, [["Plan afsluttet"]], [["Plan ended"]])

CodeSystem: KiTreatmentEffortCodes
Id: ki-treatment-effort
Title: "Treatment efforts"
Description: "Kinds of effort in a psychiatric treatment plan."
* insert ClosedList
* insert Concept(samtaleforloeb, [["Samtaleforløb"]], [["Course of conversations"]])
* insert Concept(medicinsk-behandling, [["Medicinsk behandling"]], [["Medical treatment"]])
* insert Concept(miljoeterapi, [["Miljøterapi"]], [["Milieu therapy"]])
* insert Concept(psykoedukation, [["Psykoedukation"]], [["Psychoeducation"]])
* insert Concept(netvaerksmoede, [["Netværksmøde"]], [["Network meeting"]])
* insert Concept(fysisk-aktivitet, [["Fysisk aktivitet"]], [["Physical activity"]])
* insert Concept(social-faerdighedstraening, [["Social færdighedstræning"]], [["Social skills training"]])
* insert Concept(paaroerendeinddragelse, [["Inddragelse af pårørende"]], [["Involving relatives"]])
* insert Concept(udslusning, [["Udslusning"]], [["Gradual discharge"]])
* insert Concept(anden-indsats, [["Anden indsats"]], [["Other effort"]])

CodeSystem: KiReceiptOutcomeCodes
Id: ki-receipt-outcome
Title: "Outcomes of a delivery"
Description: "What a receiver answers to one delivery."
* insert ClosedList
* insert Concept(ok, [["Modtaget"]], [["Accepted and valid"]])
* insert Concept(transient, [["Midlertidig fejl hos modtageren"]], [["Technical fault at the receiver; a later answer supersedes it"]])
* insert Concept(permanent, [["Afvist"]], [["Content invalid; the same message never will be accepted"]])

CodeSystem: KiModeCodes
Id: ki-mode
Title: "Written or oral"
Description: "How a citizen gave a consent or an approval."
* insert ClosedList
* insert Concept(written, [["Skriftligt"]], [["Written"]])
* insert Concept(oral, [["Mundtligt"]], [["Oral"]])

CodeSystem: KiGuardianGroundCodes
Id: ki-guardian-ground
Title: "Grounds of who decides for a citizen"
Description: "Why another than the citizen may give or refuse a consent. A guardianship of economic matters alone, guardianship under værgemålsloven § 6 or co-guardianship under § 7 gives no say and has no code."
* insert ClosedList
* insert Concept(guardianship-personal, [["Værge efter værgemålsloven § 5, personlige forhold"]], [["Guardian under værgemålsloven § 5, covering personal matters"]])
* insert Concept(future-power, [["Fremtidsfuldmagt i kraft, personlige forhold"]], [["Lasting power of attorney in force, covering personal matters"]])
* insert Concept(parental-custody, [["Forældremyndighed"]], [["Parental custody"]])

CodeSystem: KiDecisionCodes
Id: ki-decision
Title: "Decisions"
Description: "A citizen's decision on one plan version."
* insert ClosedList
* insert Concept(yes, [["Ja"]], [["Yes"]])
* insert Concept(no, [["Nej"]], [["No"]])
* insert Concept(undecided, [["Ikke afgjort"]], [["Undecided"]])
* #undecided ^designation[2].language = #da
* #undecided ^designation[2].value = "Ikke godkendt endnu"

CodeSystem: KiAnchoringCodes
Id: ki-anchoring
Title: "Anchoring"
Description: "Which side holds the plan."
* insert ClosedList
* insert Concept(region, [["Region"]], [["Region"]])
* insert Concept(municipality, [["Kommune"]], [["Municipality"]])

CodeSystem: KiMoveCodes
Id: ki-move
Title: "Whose move it is"
Description: "Who must act on an error."
* insert ClosedList
* insert Concept(sender, [["Afsenderen"]], [["The sender"]])
* insert Concept(receiver, [["Modtageren"]], [["The receiver"]])
* insert Concept(operator, [["Driften"]], [["The operator"]])
* insert Concept(person, [["En navngiven person"]], [["A named person"]])
* insert Concept(nobody, [["Ingen; der forsøges igen"]], [["Nobody; it is tried again"]])

CodeSystem: KiLegalBasisCodes
Id: ki-legal-basis
Title: "Legal bases"
Description: "The consent or the statute behind a disclosure. A statute carries only its own document."
* insert ClosedList
* insert Concept(consent, [["Borgerens samtykke"]], [["The citizen's consent"]])
* insert Concept(psykiatriloven-13a, [["Psykiatriloven § 13 a"]], [["Psykiatriloven § 13 a: discharge agreement"]])
* insert Concept(psykiatriloven-13b, [["Psykiatriloven § 13 b"]], [["Psykiatriloven § 13 b: coordination plan"]])
* insert Concept(psykiatriloven-13c, [["Psykiatriloven § 13 c"]], [["Psykiatriloven § 13 c: disclosure needed for either of them"]])
* insert Concept(retssikkerhedsloven-11a, [["Retssikkerhedsloven § 11 a"]], [["Retssikkerhedsloven § 11 a: what a municipality asks for, with consent"]])
* insert Concept(retssikkerhedsloven-11c, [["Retssikkerhedsloven § 11 c"]], [["Retssikkerhedsloven § 11 c: what a municipality asks for, without consent"]])
* insert Concept(serviceloven-141, [["Serviceloven § 141, stk. 5"]], [["Serviceloven § 141, stk. 5: relevant parts of the action plan"]])
* insert Concept(sundhedsloven-41, [["Sundhedsloven § 41"]], [["Sundhedsloven § 41: disclosure for treatment"]])
* insert Concept(sundhedsloven-42a, [["Sundhedsloven § 42 a"]], [["Sundhedsloven § 42 a: access for current treatment"]])
* insert Concept(sundhedsloven-43, [["Sundhedsloven § 43"]], [["Sundhedsloven § 43: disclosure for other purposes than treatment, with consent"]])
