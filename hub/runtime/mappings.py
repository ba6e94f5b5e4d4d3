"""The mappings of all registered formats: checked, with their samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hub.codes import LocalCodes, LocalCodesOf, no_local_codes
from hub.contract import Adapter, Context, Party, PlanUpdate, RawMessage
from hub.errors import HubError, InputRefused, Misconfigured
from hub.fhir.kinds import declaring
from hub.fhir.validation import EmbeddedValidator, published
from hub.mapping import mappings_folder
from hub.mapping.check import FEW, FormatCheck, folder_findings
from hub.mapping.findings import Finding, refuse
from hub.mapping.overrides import MappedBy, Overrides, kept_back_files, override_findings
from hub.mapping.source import Mapped
from hub.runtime.registry import Registry
from hub.services.media import media_type_of
from hub.services.translate import context_of

_NOBODY: Final = Party("nobody", "Nobody", "coordination", "")
_THEN: Final = datetime(2026, 1, 1, tzinfo=UTC)


def with_tables(registry: Registry) -> tuple[str, ...]:
    """The formats whose adapters translate by tables."""
    return tuple(f for f in registry.formats() if isinstance(registry.adapter(f), Mapped))


def check(registry: Registry, formats: Sequence[str]) -> list[Finding]:
    """All findings of some formats, by file and line.

    Of a format whose adapter translates in code alone, its code tables are checked.
    """
    found = set[Finding]()
    for format in formats:
        adapter = registry.adapter(format)
        if isinstance(adapter, Mapped):
            tables = FormatCheck(adapter, registry.package(format), published()).findings()
            # What is wrong with a table is told where it is, not by every sample as well.
            samples = _samples(adapter, adapter.tables / "samples", registry)
            found.update(tables or samples)
        else:
            found.update(folder_findings(mappings_folder(format) / "codes", published()))
    return sorted(found)


def mapped_by(registry: Registry) -> MappedBy:
    """Finds the adapter of a format, if there is one and it has tables."""

    def find(format: str) -> Mapped | None:
        adapter = registry.adapter(format) if format in registry.formats() else None
        return adapter if isinstance(adapter, Mapped) else None

    return find


def overrides(folder: str | Path | None, registry: Registry) -> LocalCodesOf:
    """The parties' own codes in a folder; Misconfigured when it is not there or is not right."""
    if not folder:
        return no_local_codes
    if not Path(folder).is_dir():
        raise Misconfigured("The folder of parties' own codes (KI_HUB_MAPPINGS_DIR) is not there")
    refuse(check_overrides(Path(folder), registry))
    return Overrides(Path(folder))


def check_overrides(folder: Path, registry: Registry) -> list[Finding]:
    """Everything that is wrong with a folder of overrides, by file and line.

    What a party keeps to itself is tried on the format's samples: they must stay legal.
    """
    found = override_findings(folder, mapped_by(registry))
    if found:
        return found
    own = Overrides(folder)
    return sorted(
        {
            Finding(file, 1, "sample", text)
            for party, format, file in kept_back_files(folder)
            for text in _without(registry, format, own(party, format))
        }
    )


def _without(registry: Registry, format: str, local: LocalCodes | None) -> Iterator[str]:
    """What breaks in the format's samples where a party keeps something back."""
    adapter = registry.adapter(format)
    assert isinstance(adapter, Mapped)
    validator = EmbeddedValidator(coded=registry.profiles)
    context = replace(_context(registry), local=local)
    for file in sorted(f for f in (adapter.tables / "samples").glob("*") if f.is_file()):
        try:
            update = adapter.parse(message(adapter, file.read_bytes(), context), context)
        except Exception as e:
            yield f"{file.name} of the samples cannot be read so ({type(e).__name__})"
            continue
        resources = update.resources if isinstance(update, PlanUpdate) else ()
        issues = validator.check(declaring(r) for r in resources)
        for issue in issues:
            if issue.severity in {"error", "fatal"}:
                yield f"{file.name} of the samples is no legal plan so: {issue.expression}"


def _samples(adapter: Adapter, folder: Path, registry: Registry) -> Iterator[Finding]:
    """Samples that are not understood, and formats with too few."""
    if not adapter.media_types:
        return
    files = sorted(f for f in folder.glob("*") if f.is_file())
    if len(files) < FEW:
        yield Finding(folder, 1, "sample", f"fewer than {FEW} samples")
    context = _context(registry)
    for file in files:
        try:
            adapter.parse(message(adapter, file.read_bytes(), context), context)
        except InputRefused as e:
            for issue in e.issues:
                at = f" at {issue.expression}" if issue.expression else ""
                yield Finding(file, 1, "sample", f"refused: {issue.text}{at}")
        except HubError as e:
            yield Finding(file, 1, "sample", e.text)
        except Exception as e:
            text = f"the format fails with these tables ({type(e).__name__})"
            yield Finding(file, 1, "sample", text)


def message(adapter: Adapter, body: bytes, context: Context) -> RawMessage:
    """A document as if it had been received."""
    kind = media_type_of(adapter, body)
    return RawMessage(context.sender, adapter.format, body, kind, "sample", context.now)


def _context(registry: Registry) -> Context:
    validator = EmbeddedValidator(coded=registry.profiles)
    return context_of(
        _NOBODY, now=_THEN, printer=None, parties=[], check=lambda r: validator.check([r])
    )
