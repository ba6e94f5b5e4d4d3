"""Keeping account: every element of every entry is carried, lost, or declared not shared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from adapters.vum.codes import carried
from adapters.vum.message import Entry, Message
from adapters.vum.urls import CONDITION_RANK
from hub.codes import LocalCodes
from hub.contract import Loss, Resource
from hub.errors import UnknownCode
from hub.fhir import names
from hub.mapping import Table, load_table, mappings_folder

_REFERENCE: Final = ("reference", "type", "display", "identifier")
_NO_PLACE: Final = "no place in the shared plan"


@cache
def table(name: str) -> Table:
    """A mapping table of this format."""
    return load_table(mappings_folder("vum") / f"{name}.yaml")


def dropped(at: str, reason: str = _NO_PLACE) -> Loss:
    """An element that is left behind."""
    return Loss(at, "dropped", reason)


@dataclass
class Reading:
    """One message being read: the account, and the ids that the hub gives."""

    message: Message
    id_for: Callable[[str], str]
    case: str
    """The sender's case id, else the order's own key: what every id is made from."""
    losses: list[Loss] = field(default_factory=list)
    local: LocalCodes | None = None
    """What its sender keeps to itself, besides what the tables keep."""
    not_shared: list[Loss] = field(default_factory=list)

    def new_id(self, entry: Entry) -> str:
        """The hub's id for a resource; the same for the same resource of the same case."""
        return self.id_for(f"{self.case}/{entry.type}/{entry.key}")

    def reference(self, entry: Entry) -> dict[str, str]:
        """A Reference inside the hub."""
        return {"reference": f"{entry.type}/{self.new_id(entry)}"}

    def leave_out(self, entry: Entry, table_name: str) -> None:
        """Declare a whole entry not shared, for the reason its table gives; else a loss."""
        reason = table(table_name).not_shared.get(entry.type)
        if reason:
            self.not_shared.append(dropped(entry.at, reason))
        else:
            self.losses.append(dropped(entry.at))


class Record:
    """One resource on its way: what is read is taken out, the table accounts for the rest.

    Lists keep their length while members are taken, so that reported indices stay those of the
    document.
    """

    def __init__(self, reading: Reading, entry: Entry) -> None:
        self.reading = reading
        self.entry = entry
        self.rest: dict[str, Any] = deepcopy(entry.resource)
        self.rest.pop("resourceType")
        self.rest.pop("id", None)

    def take(self, name: str) -> Any:
        """An element, taken out; None if it is not there."""
        return self.rest.pop(name, None)

    def lose(self, path: str, reason: str = _NO_PLACE) -> None:
        """Report an element as lost."""
        self.reading.losses.append(dropped(f"{self.entry.at}.{path}", reason))

    def lose_extra(self, value: Mapping[str, Any], known: Iterable[str], path: str) -> None:
        """Report what an element holds besides what is read of it."""
        for key in value:
            if key not in known:
                self.lose(f"{path}.{key}")

    def links(self, name: str) -> list[dict[str, Any]]:
        """References, one or several, taken out.

        ``display`` repeats what the entry says; a rank is read by the one who takes the links.
        """
        found = self.take(name) or []
        if isinstance(found, dict):
            self.lose_extra(found, _REFERENCE, name)
            return [found]
        for i, link in enumerate(found):
            self.lose_links_extra(link, f"{name}[{i}]")
        return list(found)

    def lose_links_extra(self, link: Mapping[str, Any], path: str) -> None:
        """Report what a Reference holds besides its target and its rank."""
        self.lose_extra(link, (*_REFERENCE, "extension"), path)
        for i, extension in enumerate(link.get("extension", ())):
            if extension.get("url") != CONDITION_RANK:
                self.lose(f"{path}.extension[{i}]")
            else:
                self.lose_extra(extension, ("url", "valuePositiveInt"), f"{path}.extension[{i}]")

    def concept(self, name: str) -> dict[str, Any] | None:
        """A CodeableConcept, taken out and carried."""
        found = self.take(name)
        if found is None:
            return None
        made, losses = carried(found, f"{self.entry.at}.{name}")
        self.reading.losses += losses
        return made or None

    def marks(self, *, shared: bool, inside: str = "") -> list[dict[str, Any]]:
        """See :func:`marked`: of the resource and, with ``inside``, of that list's first member."""
        holders = [(self.rest, self.entry.at)]
        if inside:
            holders.append((self.rest[inside][0], f"{self.entry.at}.{inside}[0]"))
        return marked(holders, shared=shared)

    def security(self) -> dict[str, Any]:
        """``meta`` with the confidentiality labels, which follow the resource; else empty."""
        labels = self.rest.get("meta", {}).pop("security", None)
        return {"meta": {"security": labels}} if labels else {}

    def finish(
        self, table_name: str, of: Mapping[str, Any] | None = None, at: str = ""
    ) -> Resource:
        """The table's rows applied to what is left, and all of it accounted for.

        ``of`` is a part of the resource, at ``at``; without it, all that is left of it.
        """
        place = f"{self.entry.at}.{at}" if at else self.entry.at
        left = self.rest if of is None else of
        made, losses, kept_back = (
            table(table_name).keeping_back(self.reading.local).forward(left, at=place)
        )
        self.reading.losses += _dotted(losses, whole=False)
        self.reading.not_shared += _dotted(kept_back, whole=True)
        return made


def marked(
    holders: Iterable[tuple[Mapping[str, Any], str]], *, shared: bool
) -> list[dict[str, Any]]:
    """The section labels and the coordination mark that the author set, taken out.

    ``holders``: elements with extensions, and their places. ``shared`` is the format's own
    default, used when the author set no mark. Labels are never inferred from content. Raises
    UnknownCode for a section that is in no table.
    """
    found, mark = [], shared
    for holder, at in holders:
        for i, extension in enumerate(holder.get("extension", ())):
            if extension.get("url") == names.SECTION:
                code = _section(extension, f"{at}.extension[{i}]")
                found.append({"url": names.SECTION, "valueCode": code})
                _forget(extension, "url", "valueCode", "valueCoding")
            elif extension.get("url") == names.COORDINATION and "valueBoolean" in extension:
                mark = extension["valueBoolean"]
                _forget(extension, "url", "valueBoolean")
    return [*found, {"url": names.COORDINATION, "valueBoolean": mark}]


def _section(extension: Mapping[str, Any], at: str) -> str:
    code = extension.get("valueCode") or extension.get("valueCoding", {}).get("code")
    if code not in names.SECTIONS:
        raise UnknownCode("The section is not one of ki-section; use a listed code", at=at)
    return str(code)


def _forget(extension: dict[str, Any], *read: str) -> None:
    for key in read:
        extension.pop(key, None)


def _dotted(found: Iterable[Loss], *, whole: bool) -> list[Loss]:
    """The table's findings by FHIR path, each once: for a whole element, or a whole extension."""
    paths: dict[tuple[str, str], Loss] = {}
    for loss in found:
        at, element, rest = _split(loss.path.replace("/", "."))
        fold = whole or element.startswith("extension[")
        path = f"{at}.{element}" if fold else f"{at}.{element}{rest}"
        paths.setdefault((path, loss.reason), Loss(path, loss.kind, loss.reason))
    return list(paths.values())


def _split(path: str) -> tuple[str, str, str]:
    """``Bundle.entry[n].resource``, the element with its index, and the rest."""
    bundle, entry, resource, element, *rest = path.split(".")
    return f"{bundle}.{entry}.{resource}", element, "".join(f".{r}" for r in rest)
