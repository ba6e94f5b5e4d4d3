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
    "not-in-system": (
        "The code is not in its code system; use a listed code",
        "Koden findes ikke i sit kodesystem; brug en kode på listen",
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
