"""What R4's rules ask for, in this project's own words, in English and Danish.

R4's wording stays out of the repository; a rule without words here is told by its expression.
"""

from __future__ import annotations

from typing import Final

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
"""Rule key to English and Danish."""
