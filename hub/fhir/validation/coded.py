"""Profiles of other makers whose rules are in code (:class:`hub.capabilities.CodedProfile`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from hub.capabilities import CodedProfile
from hub.errors import Issue

Json = Mapping[str, Any]
Source = Callable[[], Iterable[CodedProfile]]


class Coded:
    """The coded profiles by canonical; they are loaded when the first unknown one is met."""

    def __init__(self, source: Source = tuple) -> None:
        self._source = source

    @cached_property
    def _found(self) -> dict[str, CodedProfile]:
        return {profile.url: profile for profile in self._source()}

    def get(self, url: str) -> CodedProfile | None:
        """The profile of a canonical, whose version is not looked at."""
        return self._found.get(url.partition("|")[0])

    def of(self, resource: Any) -> list[CodedProfile]:
        """Those that a resource declares, and that are for its type."""
        return [p for url in declared(resource) if (p := self.get(url)) and fits(p, resource)]


def declared(resource: Any) -> list[str]:
    """The canonicals in ``meta.profile``, of any JSON."""
    meta = resource.get("meta") if isinstance(resource, Mapping) else None
    found = meta.get("profile") if isinstance(meta, Mapping) else None
    return [u for u in found if isinstance(u, str)] if isinstance(found, list) else []


def fits(profile: CodedProfile, resource: Json) -> bool:
    """The profile is for that resource type."""
    return resource.get("resourceType") == profile.type


def issues(profile: CodedProfile, resource: Json, path: str) -> list[Issue]:
    """What the profile's rules say of a resource that stands at ``path``."""
    return [
        replace(issue, expression=_placed(issue.expression, profile.type, path))
        for issue in profile.check(dict(resource))
    ]


def _placed(expression: str | None, kind: str, path: str) -> str:
    """A path from the resource itself, as one from what was given to be checked."""
    if expression is None:
        return path
    return path + expression[len(kind) :] if expression.startswith(kind) else expression
