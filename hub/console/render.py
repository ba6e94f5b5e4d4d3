"""The templates' environment: words, times, ids and states as a page shows them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from hub.console import words
from hub.fhir.language import LANGUAGES, Language, said
from hub.fhir.names import UNIT_SYSTEMS

_FOLDER: Final = Path(__file__).parent
DENMARK: Final = ZoneInfo("Europe/Copenhagen")
"""Times are kept in UTC and shown as Danish clocks show them."""
_TIMES: Final[dict[Language, str]] = {"da": "%d.%m.%Y kl. %H.%M.%S", "en": "%d %b %Y %H:%M:%S"}
SHORT: Final = 8
"""Characters of an id in a table; the whole id is on the page it leads to."""


@cache
def environment() -> Environment:
    """Autoescaping; a name that is not there is an error and no blank."""
    made = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        t=_word,
        tn=_counted,
        tk=_known,
        said=_said,
        when=_when,
        moment=datetime.fromisoformat,
        asset=_asset,
    )
    made.globals["languages"] = LANGUAGES
    made.globals["unit_systems"] = UNIT_SYSTEMS
    made.filters["short"] = _short
    return made


def _language(context: Context) -> Language:
    found: Language = context["visit"].language
    return found


def _in_language(make: Callable[..., Any]) -> Callable[..., Any]:
    """A global that knows the page's language."""

    def called(context: Context, *args: Any, **values: Any) -> Any:
        return make(_language(context), *args, **values)

    return pass_context(called)


@_in_language
def _word(language: Language, key: str, **values: object) -> str:
    return words.word(language, key, **values)


@_in_language
def _counted(language: Language, key: str, number: int) -> str:
    """The text for that many: ``key.one`` for one, else ``key``."""
    return words.word(language, f"{key}.one" if number == 1 else key, n=number)


@_in_language
def _known(language: Language, group: str, name: str) -> str:
    """A word for something that data names; the data's own name if there is none."""
    return words.known(language, f"{group}.{name}", name)


@_in_language
def _said(language: Language, sentence: str, danish: str | None = None) -> Markup:
    """What the hub said; marked as English where there is no Danish for it."""
    found = danish if language == "da" and danish else said(language, sentence)
    if found is not None:
        return escape(found)
    return Markup('<span lang="en">{}</span>').format(sentence)


@_in_language
def _when(language: Language, moment: datetime | None) -> Markup:
    if moment is None:
        return Markup("–")
    local = moment.astimezone(DENMARK)
    stamp = local.isoformat(timespec="seconds")
    shown = local.strftime(_TIMES[language])
    return Markup('<time datetime="{}">{}</time>').format(stamp, shown)


def _short(identifier: str) -> str:
    return identifier[:SHORT]


@cache
def _asset(name: str) -> str:
    """A static file's address; it changes with the content, so an old copy is never used."""
    content = (_FOLDER / "static" / name).read_bytes()
    return f"/console/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"
