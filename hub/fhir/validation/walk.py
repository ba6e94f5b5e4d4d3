"""The walk over a resource along its type's or profile's elements.

What is looked at, in this order, for every element: the JSON's shape, cardinality, the type's
content, fixed and pattern values, bindings, slices, references, extensions, invariants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from hub.capabilities import CodedProfile
from hub.errors import Severity
from hub.fhir.validation import bundles, coded
from hub.fhir.validation.coded import Coded
from hub.fhir.validation.content import Content
from hub.fhir.validation.definitions import Element, Level, Shape, TypeRef
from hub.fhir.validation.extensions import Extensions
from hub.fhir.validation.findings import Findings
from hub.fhir.validation.members import Item, gather
from hub.fhir.validation.profiles import Profiles
from hub.fhir.validation.references import References
from hub.fhir.validation.rules import Rules
from hub.fhir.validation.scope import Neighbours, Scope
from hub.fhir.validation.slicing import Slicer

Json = Mapping[str, Any]

_IN_PLACE: Final = frozenset({"BackboneElement", "Element"})


class Walk:
    """One check. Made anew for each: it holds the findings."""

    def __init__(
        self,
        profiles: Profiles,
        findings: Findings,
        coded: Coded,
        *,
        best_practice: bool = False,
        by_fhirpath: bool = True,
    ) -> None:
        self._profiles = profiles
        self._coded = coded
        self._tables = profiles.tables
        self._findings = findings
        self._options = {"best_practice": best_practice, "by_fhirpath": by_fhirpath}
        self._rules = Rules(findings, profiles.terminology, self.conforms, **self._options)
        self._slicer = Slicer(profiles, self.conforms)
        self._references = References(profiles, findings)
        self._extensions = Extensions(profiles, findings, self._rules)
        self._content = Content(profiles, findings)

    def resource(
        self,
        value: Any,
        path: str,
        *,
        asked: Iterable[str] = (),
        container: Scope | None = None,
        around: Scope | None = None,
        neighbours: Neighbours | None = None,
        entry: tuple[str | None, str | None] = (None, None),
    ) -> None:
        """Check a resource against its base type or its profiles.

        ``asked`` are profiles to hold it to instead of those it declares; ``entry`` is the type
        of the Bundle it is in and its fullUrl there.
        """
        kind = self._kind(value, path)
        if kind is None:
            return
        wanted = list(asked)
        for shape in self._shapes(value, kind, path, wanted, around):
            scope = Scope(value, path, container, around, neighbours, *entry)
            if container is not None:
                container.contained.append(scope)
            if kind == "Bundle":
                scope.neighbours = bundles.neighbours(value)
                bundles.check(value, path, self._findings)
            before = self._findings.errors
            self._object(value, shape.level, kind, None, path, scope)
            sound = self._findings.errors == before
            self._rules.check(shape.rules, scope.plain(), kind, path, scope, sound=sound)
        for url in wanted or coded.declared(value):
            profile = self._coded.get(url)
            if profile is not None and coded.fits(profile, value):
                self._findings.take(coded.issues(profile, value, path))

    def conforms(self, value: Any, profile: str, scope: Scope) -> bool:
        """A resource (or another value) keeps to a profile; nothing is reported."""
        findings = Findings()
        quiet = Walk(self._profiles, findings, self._coded, **self._options)
        if isinstance(value, Mapping) and "resourceType" in value:
            asked = [profile]
            quiet.resource(value, scope.path, asked=asked, neighbours=scope.neighbours)
            return findings.errors == 0
        shape = self._profiles.shape(profile)
        if shape is None or not isinstance(value, Mapping):
            return False
        quiet._object(value, shape.level, shape.type, None, scope.path, scope)
        quiet._rules.check(shape.rules, value, shape.type, scope.path, scope, sound=True)
        return findings.errors == 0

    def _kind(self, value: Any, path: str) -> str | None:
        """The resource's type, if it is one that can be walked."""
        if not isinstance(value, Mapping):
            self._findings.add("structure", "not-object", path, {"type": "Resource"})
            return None
        kind = value.get("resourceType")
        if kind is None:
            self._findings.add("required", "no-type", path)
        elif not isinstance(kind, str) or not self._tables.resource(kind):
            self._findings.add("not-supported", "unknown-type", path)
        else:
            return kind
        return None

    def _shapes(
        self, value: Json, kind: str, path: str, asked: list[str], around: Scope | None
    ) -> list[Shape]:
        """The profiles to walk along; the base type if there are none."""
        meta = value.get("meta")
        declared = meta.get("profile") if isinstance(meta, Mapping) and not asked else None
        places = [(url, path) for url in asked]
        if isinstance(declared, list):
            places += [(url, f"{path}.meta.profile[{i}]") for i, url in enumerate(declared)]
        found = []
        for url, place in places:
            of = self._type_of(url)
            shape = self._profiles.declared(url) if of is not None else None
            if of is None:
                if self._covered(url, around):
                    continue
                severity: Severity = "error" if asked else "information"
                self._findings.add("not-found", "profile-unknown", place, severity=severity)
            elif not self._tables.is_a(kind, of):
                self._findings.add("structure", "profile-type", place)
            elif shape is not None:
                found.append(shape)
        base = self._profiles.shape(kind)
        return found or ([base] if base is not None else [])

    def _type_of(self, url: Any) -> str | None:
        """The type that a profile is for; None if it is not at hand."""
        if not isinstance(url, str):
            return None
        profile = self._coded.get(url) if self._profiles.type_of(url) is None else None
        return profile.type if profile is not None else self._profiles.type_of(url)

    def _covered(self, url: Any, around: Scope | None) -> bool:
        """What is around is held to a profile that looks at this one as well."""
        whole: list[CodedProfile] = []
        for scope in around.above() if around is not None else ():
            whole += self._coded.of(scope.resource)
        plain = str(url).partition("|")[0]
        return any(plain in profile.parts for profile in whole)

    def _object(
        self, value: Json, level: Level, kind: str, element: Element | None, path: str, scope: Scope
    ) -> None:
        """Check an object's members against the children of its element or type."""
        groups = gather(value, level, path, self._findings, resource=value is scope.resource)
        for name, items in groups.items():
            child = level.elements[name]
            if child.max is not None and len(items) > child.max:
                place = f"{path}.{child.step}"
                self._findings.add("structure", "too-many", place, {"max": child.max})
            if any(item.twin is not None for item in items):
                for one in scope.above():
                    one.has_twins = True
            parts = self._parts(child, items, scope)
            for item, part in zip(items, parts, strict=True):
                self._item(part, item, scope)
                if item.ref.code == "Extension":
                    self._context(item, value, kind, element, path, scope)
        for child in level.needed():
            if len(groups.get(child.name, ())) < child.min:
                place = f"{path}.{child.step}"
                self._findings.add("required", "required", place, {"min": child.min})
            if child.slices and child.name not in groups:
                self._content.slices(child, [], f"{path}.{child.step}")

    def _parts(self, element: Element, items: list[Item], scope: Scope) -> list[Element]:
        """The definition of each repetition: its slice's, if it is in one."""
        if not element.slices:
            return [element] * len(items)
        names = [self._slicer.slice_of(element, i.value, i.ref.code, scope) for i in items]
        self._content.slices(element, list(zip(names, items, strict=True)), items[0].place)
        return [element if name is None else element.slices[name] for name in names]

    def _item(self, element: Element, item: Item, scope: Scope) -> None:
        before = self._findings.errors
        ref = _narrowed(element, item.ref)
        if ref is None:
            self._content.type_refused(element, item.path)
            return
        if ref.primitive:
            self._primitive(element, ref, item, scope)
        elif ref.code == "Resource" or self._tables.resource(ref.code):
            self._nested(element, ref, item, scope)
        elif self._content.is_object(item.value, ref.code, item.path):
            self._complex(element, ref, item, scope)
        self._content.values(element, ref, item.value, item.path)
        # A rule speaks of a value of the type; of another, that has been said.
        fits = isinstance(item.value, Mapping) != ref.primitive and item.value is not None
        if element.rules and fits:
            kind = (element.content or element.path) if ref.code in _IN_PLACE else ref.code
            sound = self._findings.errors == before
            self._rules.check(element.rules, item.value, kind, item.path, scope, sound=sound)

    def _primitive(self, element: Element, ref: TypeRef, item: Item, scope: Scope) -> None:
        beside = item.value is not None
        if item.twin is not None and self._content.is_object(
            item.twin, "Element", item.path, beside=beside
        ):
            shape = self._profiles.shape("Element")
            if shape is not None:
                level = element.own or shape.level
                self._object(item.twin, level, ref.code, element, item.path, scope)
                if ref.code == "xhtml" and "extension" in item.twin:
                    place = f"{item.path}.extension"
                    self._findings.add("structure", "too-many", place, {"max": 0})
        self._content.primitive(element, ref, item.value, item.path, scope)

    def _nested(self, element: Element, ref: TypeRef, item: Item, scope: Scope) -> None:
        """A contained resource, or that of an entry or parameter."""
        value, path, asked = item.value, item.path, ref.profiles
        if ref.code != "Resource" and not self._content.is_of(value, ref.code, path):
            return
        if element.name == "contained":
            known = scope.neighbours
            self.resource(value, path, asked=asked, container=scope.root, neighbours=known)
            return
        entry: tuple[str | None, str | None] = (None, None)
        if scope.resource.get("resourceType") == "Bundle":
            kind = scope.resource.get("type")
            entry = (kind if isinstance(kind, str) else "", item.full_url)
        known = scope.neighbours
        self.resource(value, path, asked=asked, around=scope, neighbours=known, entry=entry)

    def _complex(self, element: Element, ref: TypeRef, item: Item, scope: Scope) -> None:
        value, path = item.value, item.path
        before = self._findings.errors
        shape = self._profiles.shape(ref.profiles[0] if ref.profiles else ref.code)
        if ref.code == "Extension":
            inside = element.path.startswith("Extension.")
            shape = self._extensions.definition(element, ref, value, path, inside) or shape
        shape = shape or self._profiles.shape(ref.code)
        if shape is None:
            return
        level = element.own or shape.level
        if element.own is None and element.content is not None:
            source = self._tables.element(element.content)
            level = source.own or level
            if element.rules != source.rules:
                sound = self._findings.errors == before
                self._rules.check(source.rules, value, source.path, path, scope, sound=sound)
        self._object(value, level, ref.code, element, path, scope)
        if ref.code == "Reference":
            self._references.check(value, ref, path, element.path, scope)
        sound = self._findings.errors == before
        self._rules.check(shape.rules, value, ref.code, path, scope, sound=sound)

    def _context(
        self, item: Item, owner: Json, kind: str, element: Element | None, path: str, scope: Scope
    ) -> None:
        """An extension stands where it may; ``path`` is what it extends."""
        url = item.value.get("url") if isinstance(item.value, Mapping) else None
        shape = self._profiles.extension(url) if isinstance(url, str) else None
        if shape is not None and shape.contexts:
            kinds = [kind, *([element.path] if element is not None else [])]
            self._extensions.context(shape, owner, kinds, path, scope)


def _narrowed(element: Element, ref: TypeRef) -> TypeRef | None:
    """The slice's own view of the item's type; None if the slice does not have that type."""
    if not element.types or ref in element.types:
        return ref
    return next((t for t in element.types if t.code == ref.code), None)
