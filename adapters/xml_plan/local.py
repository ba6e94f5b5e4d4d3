"""A party's own codes in a document: exchanged for the schema's where it comes in, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lxml import etree

from adapters.xml_plan.schema import Schema
from hub.codes import CodePair, LocalCodes
from hub.contract import Loss, LossKind
from hub.errors import UnknownCode
from hub.mapping import CodeTable, mappings_folder
from hub.mapping.files import coded_elements
from hub.mapping.trace import recorder

_ROLES: Final = CodeTable.load(mappings_folder("xml-plan") / "codes" / "role.csv")


def coded(tables: Path) -> Mapping[str, CodeTable]:
    """The elements that hold a code, by name, and its table: of rows, and of ``OtherPlans``."""
    return {"RoleCode": _ROLES, **coded_elements(tables)}


@dataclass(frozen=True)
class Exchange:
    """The exchange for one format and one party."""

    schema: Schema
    tables: Path
    local: LocalCodes

    def to_shared(self, root: etree._Element) -> list[Loss]:
        """Put the schema's codes in place of the party's own; losses where they are wider."""
        losses = []
        for element, table in self._coded(root):
            pair = self.local.shared(table.name, "", _text(element))
            code = _source(table, pair) if pair is not None else None
            if pair is not None and code is not None:
                element.text = code
                losses += _lost(pair, self.schema.path_of(element), "coarsened")
                trace = recorder()
                if trace is not None:
                    trace.exchange(self.schema.path_of(element), f"{table.name}.csv:{pair.line}")
        return losses

    def to_local(self, root: etree._Element) -> list[Loss]:
        """Put the party's own codes in place of the schema's; losses where that is a guess."""
        losses = []
        for element, table in self._coded(root):
            pair = self._own(table, _text(element))
            if pair is not None:
                element.text = pair.source_code
                losses += _lost(pair, self.schema.path_of(element), "defaulted")
        return losses

    def _coded(self, root: etree._Element) -> Iterator[tuple[etree._Element, CodeTable]]:
        tables = coded(self.tables)
        for element in root.iter(etree.Element):
            table = tables.get(etree.QName(element).localname)
            if table is not None:
                yield element, table

    def _own(self, table: CodeTable, code: str) -> CodePair | None:
        try:
            shared = table.forward(code, at="")
        except UnknownCode:
            return None
        return self.local.own(table.name, shared.target_system, shared.target_code)


def _source(table: CodeTable, pair: CodePair) -> str | None:
    """The format's own code for what the party's pair means; None if it has none."""
    try:
        return table.backward(pair.target_code, system=pair.target_system, at="").source_code
    except UnknownCode:
        return None


def _lost(pair: CodePair, at: str, kind: LossKind) -> list[Loss]:
    if pair.lossless:
        return []
    return [Loss(at, kind, pair.comment or "the nearest code")]


def _text(element: etree._Element) -> str:
    return " ".join((element.text or "").split())
