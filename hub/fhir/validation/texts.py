"""The words of the findings, in English and Danish.

A text says what is wrong and what to do. Its parameters are facts of the specification or of a
profile (type names, numbers, codes, rule keys, expressions); a resource's values never are.
"""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, tuple[str, str]]] = {
    "not-object": (
        "Must be a JSON object; send {type} as an object",
        "Skal være et JSON-objekt; send {type} som et objekt",
    ),
    "not-array": (
        "May repeat, so it must be a JSON array; put it in [ ]",
        "Kan gentages og skal derfor være et JSON-array; sæt [ ] om",
    ),
    "is-array": (
        "Does not repeat, so it must not be a JSON array; send the one value",
        "Kan ikke gentages og må ikke være et JSON-array; send den ene værdi",
    ),
    "empty-array": (
        "An empty array; leave the element out",
        "Et tomt array; udelad elementet",
    ),
    "empty-object": (
        "An empty object; leave the element out or give it content (ele-1)",
        "Et tomt objekt; udelad elementet eller giv det indhold (ele-1)",
    ),
    "empty-string": (
        "An empty string; leave the element out",
        "En tom streng; udelad elementet",
    ),
    "null": (
        "A null; leave the element out. Only an array of simple values may hold a null, in step"
        " with an extension beside it",
        "En null; udelad elementet. Kun et array af simple værdier må rumme null, ud for en"
        " extension",
    ),
    "null-step": (
        "The array and its array of extensions differ in length; fill both out with nulls",
        "Arrayet og dets array af extensions er ikke lige lange; fyld begge ud med null",
    ),
    "not-primitive": (
        "Not an element of a simple type; an underscore member cannot stand here",
        "Ikke et element af simpel type; et medlem med understreg kan ikke stå her",
    ),
    "no-element": (
        "FHIR R4 has no such element here; leave it out or use an extension",
        "FHIR R4 har ikke et sådant element her; udelad det, eller brug en extension",
    ),
    "no-type": (
        "The resource has no resourceType; name its type",
        "Ressourcen mangler resourceType; angiv dens type",
    ),
    "unknown-type": (
        "Not a resource type of FHIR R4; send one that is",
        "Ikke en ressourcetype i FHIR R4; send en, der er",
    ),
    "wrong-type": (
        "This resource type may not stand here; send {types}",
        "Denne ressourcetype må ikke stå her; send {types}",
    ),
    "required": (
        "Must be given at least {min} time(s); add it",
        "Skal angives mindst {min} gang(e); tilføj det",
    ),
    "too-many": (
        "May be given at most {max} time(s); remove the rest",
        "Må højst angives {max} gang(e); fjern resten",
    ),
    "choice": (
        "Given with more than one type; keep exactly one of them",
        "Angivet med mere end én type; behold netop én af dem",
    ),
    "json-type": (
        "Must be a JSON {json} because its type is {type}; send it as one",
        "Skal være JSON {json}, fordi typen er {type}; send den sådan",
    ),
    "format": (
        "Not in the form of the type {type}; see the data types of FHIR R4 and correct it",
        "Ikke på formen for typen {type}; se datatyperne i FHIR R4 og ret den",
    ),
    "no-such-date": (
        "No such date in the calendar; correct it",
        "Datoen findes ikke i kalenderen; ret den",
    ),
    "out-of-range": (
        "Outside the numbers of the type {type}; correct it",
        "Uden for tallene i typen {type}; ret den",
    ),
    "characters": (
        "Holds control characters; remove them",
        "Indeholder kontroltegn; fjern dem",
    ),
    "too-long": (
        "Longer than {max} characters; shorten it",
        "Længere end {max} tegn; forkort den",
    ),
    "outside-limits": (
        "Outside the limits of the profile; correct it",
        "Uden for profilens grænser; ret den",
    ),
    "fixed": (
        "Must have exactly the value that the profile fixes; send that value",
        "Skal have præcis den værdi, som profilen fastlægger; send den værdi",
    ),
    "pattern": (
        "Must hold what the profile's pattern holds; add what is missing",
        "Skal rumme det, som profilens mønster rummer; tilføj det manglende",
    ),
    "not-code": (
        "Not a code of the value set {set}; use one of: {codes}",
        "Ikke en kode i værdisættet {set}; brug en af: {codes}",
    ),
    "not-code-grammar": (
        "Not in the form of the codes of {set}; correct it",
        "Ikke på formen for koderne i {set}; ret den",
    ),
    "no-code": (
        "Needs a code of the value set {set}; add one of: {codes}",
        "Mangler en kode i værdisættet {set}; tilføj en af: {codes}",
    ),
    "slice-min": (
        "The part {slice} must be given at least {min} time(s); add it",
        "Delen {slice} skal angives mindst {min} gang(e); tilføj den",
    ),
    "slice-max": (
        "The part {slice} may be given at most {max} time(s); remove the rest",
        "Delen {slice} må højst angives {max} gang(e); fjern resten",
    ),
    "slice-closed": (
        "Is none of the parts that the profile allows here; remove it or make it one of: {slices}",
        "Er ingen af de dele, profilen tillader her; fjern den, eller gør den til en af: {slices}",
    ),
    "slice-order": (
        "Stands after a part that must come later; keep the order: {slices}",
        "Står efter en del, der skal komme senere; overhold rækkefølgen: {slices}",
    ),
    "no-profile": (
        "Conforms to none of the profiles that may stand here; see {profiles}",
        "Følger ingen af de profiler, der må stå her; se {profiles}",
    ),
    "profile-type": (
        "Declares a profile of another resource type; declare one for this type",
        "Angiver en profil for en anden ressourcetype; angiv en for denne type",
    ),
    "profile-unknown": (
        "Declares a profile that this server does not have; it was not checked against it",
        "Angiver en profil, som denne server ikke har; der er ikke kontrolleret mod den",
    ),
    "extension-url": (
        "The extension's url must be absolute; send the canonical of its definition",
        "Extensionens url skal være absolut; send den kanoniske adresse på definitionen",
    ),
    "extension-context": (
        "This extension may not stand here; move it to where its definition allows: {contexts}",
        "Denne extension må ikke stå her; flyt den til, hvor definitionen tillader: {contexts}",
    ),
    "extension-modifier": (
        "This extension changes meaning; send it in modifierExtension",
        "Denne extension ændrer betydningen; send den i modifierExtension",
    ),
    "extension-no-modifier": (
        "This extension does not change meaning; send it in extension",
        "Denne extension ændrer ikke betydningen; send den i extension",
    ),
    "modifier-unknown": (
        "An unknown modifier extension; it may change the meaning, so leave it out or agree on it",
        "En ukendt modifier-extension; den kan ændre betydningen, så udelad den eller aftal den",
    ),
    "reference-form": (
        "Not a reference; send Type/id, an absolute URL, urn:uuid:, urn:oid: or #id",
        "Ikke en reference; send Type/id, en absolut URL, urn:uuid:, urn:oid: eller #id",
    ),
    "reference-type": (
        "Refers to a type that may not stand here; refer to one of: {types}",
        "Henviser til en type, der ikke må stå her; henvis til en af: {types}",
    ),
    "reference-said": (
        "The stated type is not the type referred to; correct one of them",
        "Den angivne type er ikke den, der henvises til; ret en af dem",
    ),
    "id-spaces": (
        "An element's id has no spaces; remove them",
        "Et elements id har ingen mellemrum; fjern dem",
    ),
    "duplicate-id": (
        "The same id twice in one resource; give each its own",
        "Samme id to gange i én ressource; giv hver sit eget",
    ),
    "full-url-missing": (
        "The entry has a resource but no fullUrl; add one",
        "Posten har en ressource, men ingen fullUrl; tilføj den",
    ),
    "full-url-form": (
        "fullUrl must be an absolute URL, urn:uuid: or urn:oid:; correct it",
        "fullUrl skal være en absolut URL, urn:uuid: eller urn:oid:; ret den",
    ),
    "full-url-id": (
        "fullUrl does not end in the resource's type and id; make them agree",
        "fullUrl ender ikke på ressourcens type og id; bring dem i overensstemmelse",
    ),
    "unresolved": (
        "Refers to nothing in this Bundle; add the resource or correct the reference",
        "Henviser til noget, der ikke er i denne Bundle; tilføj ressourcen, eller ret referencen",
    ),
    "too-deep": (
        "Nested too deeply to be checked; send it flatter",
        "For dybt indlejret til at kunne kontrolleres; send den fladere",
    ),
    "rule": (
        "The rule {key} does not hold; change the element so that it does: {expression}",
        "Reglen {key} er ikke opfyldt; ret elementet, så den er: {expression}",
    ),
    "rule-said": ("{text} ({key})", "{text_da} ({key})"),
    "rule-failed": (
        "The rule {key} could not be evaluated here; correct the element, or report this",
        "Reglen {key} kunne ikke evalueres her; ret elementet, eller meld det som en fejl",
    ),
}
"""Key to English and Danish."""

RULES: Final[dict[str, tuple[str, str]]] = {
    "app-1": ("Say what or who takes part: type or actor", "Angiv deltager: type eller actor"),
    "app-2": ("Give both start and end, or neither", "Angiv både start og end, eller ingen"),
    "app-3": (
        "Give start and end; only a proposed, cancelled or waitlisted appointment lacks them",
        "Angiv start og end; kun et foreslået, aflyst eller ventelistet møde har dem ikke",
    ),
    "app-4": (
        "Give cancelationReason only with status cancelled or noshow",
        "Angiv kun cancelationReason ved status cancelled eller noshow",
    ),
    "att-1": ("Data needs a contentType; add it", "Data kræver contentType; tilføj den"),
    "bdl-1": ("Only a searchset or history has a total", "Kun searchset og history har total"),
    "bdl-2": ("Only a searchset has entry.search", "Kun searchset har entry.search"),
    "bdl-3": (
        "Entries of a batch, transaction or history have a request; others have none",
        "Poster i batch, transaction og history har request; andre har ikke",
    ),
    "bdl-4": (
        "Entries of a response or history have a response; others have none",
        "Poster i et svar eller history har response; andre har ikke",
    ),
    "bdl-5": (
        "An entry needs a resource, a request or a response",
        "En post skal have resource, request eller response",
    ),
    "bdl-7": (
        "The same fullUrl and version twice; give each resource its own",
        "Samme fullUrl og version to gange; giv hver ressource sin egen",
    ),
    "bdl-8": (
        "A fullUrl has no version; remove _history from it",
        "En fullUrl har ingen version; fjern _history",
    ),
    "bdl-9": (
        "A document needs an identifier with system and value",
        "Et dokument kræver identifier med system og value",
    ),
    "bdl-10": ("A document needs a timestamp", "Et dokument kræver timestamp"),
    "bdl-11": ("A document's first resource is a Composition", "Dokumentets første: Composition"),
    "bdl-12": (
        "A message's first resource is a MessageHeader",
        "Beskedens første ressource er MessageHeader",
    ),
    "con-1": ("A stage needs a summary or an assessment", "stage kræver summary eller assessment"),
    "con-2": ("Evidence needs a code or a detail", "evidence kræver code eller detail"),
    "con-4": (
        "With an abatement, clinicalStatus must be resolved, remission or inactive",
        "Med abatement skal clinicalStatus være resolved, remission eller inactive",
    ),
    "con-5": (
        "Entered in error: leave clinicalStatus out",
        "Fejlregistreret (entered-in-error): udelad clinicalStatus",
    ),
    "cpl-3": (
        "Give an activity either detail or reference, not both",
        "Angiv enten detail eller reference for en aktivitet, ikke begge",
    ),
    "cpt-2": ("A contact value needs a system", "En kontaktværdi kræver system"),
    "dom-2": (
        "A contained resource contains none itself; move it to the outer one",
        "En indeholdt ressource rummer ikke selv andre; flyt dem til den ydre",
    ),
    "dom-3": (
        "Refer to each contained resource, or have it refer to # ; remove what nobody uses",
        "Henvis til hver indeholdt ressource, eller lad den henvise til #; fjern ubrugte",
    ),
    "dom-4": (
        "A contained resource has no versionId or lastUpdated; remove them",
        "En indeholdt ressource har ikke versionId eller lastUpdated; fjern dem",
    ),
    "dom-5": (
        "A contained resource has no security label; put it on the outer resource",
        "En indeholdt ressource har ikke sikkerhedsmærke; sæt det på den ydre",
    ),
    "dom-6": (
        "Add a narrative, so that a person can read the resource",
        "Tilføj en narrativ tekst, så et menneske kan læse ressourcen",
    ),
    "ext-1": (
        "An extension has either a value or extensions of its own, never both or neither",
        "En extension har enten en værdi eller egne extensions, aldrig begge eller ingen",
    ),
    "gol-1": ("A target's detail needs a measure", "Et måls detail kræver measure"),
    "obs-3": (
        "A reference range needs low, high or text",
        "Et referenceinterval kræver low, high eller text",
    ),
    "obs-6": (
        "With a value, leave dataAbsentReason out",
        "Med en værdi udelades dataAbsentReason",
    ),
    "obs-7": (
        "A component has the observation's own code: give the value at one place only",
        "En komponent har observationens egen kode: angiv kun værdien ét sted",
    ),
    "org-1": ("Give an identifier or a name", "Angiv identifier eller name"),
    "org-2": ("An organisation has no home address", "En organisation har ikke hjemmeadresse"),
    "org-3": (
        "An organisation has no home telephone",
        "En organisation har ikke privat telefon",
    ),
    "pat-1": (
        "A contact needs a name, telecom, address or organization",
        "En kontakt kræver name, telecom, address eller organization",
    ),
    "per-1": ("The period ends before it starts", "Perioden slutter, før den begynder"),
    "ppc-1": ("Give a policy or a policyRule", "Angiv policy eller policyRule"),
    "qty-3": ("A unit's code needs its system", "En enhedskode kræver system"),
    "rat-1": (
        "Give numerator and denominator together, or an extension instead",
        "Angiv numerator og denominator sammen, ellers en extension",
    ),
    "ref-1": (
        "No contained resource has that id; add it or correct the reference",
        "Ingen indeholdt ressource har det id; tilføj den, eller ret referencen",
    ),
    "rng-2": ("low must not be above high", "low må ikke være over high"),
    "sev-1": ("Give a name or a query, not both", "Angiv name eller query, ikke begge"),
    "txt-1": (
        "Only basic XHTML may stand in a narrative: no scripts, forms, objects or event"
        " attributes; remove the rest",
        "Kun enkel XHTML må stå i en narrativ tekst: ingen scripts, formularer, objekter eller"
        " hændelsesattributter; fjern resten",
    ),
    "txt-2": (
        "The narrative is empty; give it text or leave it out",
        "Den narrative tekst er tom; giv den indhold, eller udelad den",
    ),
}
"""What R4's rules ask for, in this project's own words; others are told by their expression."""
