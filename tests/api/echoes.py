"""Documents that come back with others' parts in them, as the hub sent them or changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
from lxml import etree

from hub.model.party import SYSTEM, Subscription
from hub.services.admin import PartyEntry, apply_parties
from tests.api.world import PSYK, SAMPLES, SOCIAL, World

Document = Any
"""An lxml root, or a JSON object."""


@dataclass(frozen=True)
class Echo:
    """One unit's system, its format, and how it says things in it."""

    format: str
    who: str
    other: str
    """The unit whose sector plan it is told of."""
    sample: str = ""
    """Its own document, where the scenario has not sent it."""

    def given(self, world: World) -> bytes:
        """What the hub has sent to it last; its own document is sent first, if it has not been."""
        if self.sample:
            with world.hub.store.reading() as work:
                known = work.parties.get(self.who)
            assert known is not None
            wanted = replace(known, subscriptions=(Subscription(format=self.format),))
            apply_parties(world.hub, [PartyEntry(wanted)], [], "pdf", by="test")
            world.clock.advance(minutes=1)
            own = (SAMPLES / self.format / "samples" / self.sample).read_bytes()
            assert self.sent(world, own).status_code == 200
            for letter in world.letters(self.who):
                world.receipt(letter, self.who)
            world.work()
        return self.last(world)

    def last(self, world: World) -> bytes:
        """The newest delivery's bytes."""
        with world.hub.store.reading() as work:
            found = work.deliveries.listing(SYSTEM, receiver=self.who)
            mine = [d for d in found if d.format == self.format and d.state.value == "sent"]
            delivery = work.deliveries.get(mine[0].id, SYSTEM, body=True)
        assert delivery is not None
        assert delivery.body is not None
        if self.format == "vum":
            return self.changed(delivery.body, _by_the_municipality)
        return delivery.body

    def sent(self, world: World, body: bytes) -> httpx.Response:
        """The unit's system sends it."""
        world.clock.advance(minutes=1)
        media_type = world.hub.adapters.adapter(self.format).media_types[0]
        headers = {"Content-Type": media_type}
        url = f"/documents/{self.format}"
        return world.request("POST", url, self.who, content=body, headers=headers)

    def changed(self, body: bytes, change: Callable[[Document], None]) -> bytes:
        """The document with a change made to it."""
        if self.format == "vum":
            bundle = json.loads(body)
            change(bundle)
            return json.dumps(bundle, ensure_ascii=False).encode()
        root = etree.fromstring(body)
        change(root)
        return etree.tostring(root)

    def saying(self, body: bytes, old: str, new: str) -> bytes:
        """One text in other words, in others' parts alone."""
        done: list[str] = []

        def change(document: Document) -> None:
            for holder, name in self.texts(document):
                said = holder.text if name == "" else holder[name]
                if said and old in said and not done:
                    done.append(said)
                    if name == "":
                        holder.text = said.replace(old, new, 1)
                    else:
                        holder[name] = said.replace(old, new, 1)

        made = self.changed(body, change)
        assert done, old
        return made

    def texts(self, document: Document) -> list[tuple[Any, str]]:
        """Where others' texts stand: the element and "", or the object and its member."""
        if self.format != "vum":
            below = document.find("{*}OtherPlans")
            return [(e, "") for e in below.iter() if not len(e) and "Binary" not in e.tag]
        return [place for r in others_of(document) for place in _strings(r)]


def _by_the_municipality(bundle: dict[str, Any]) -> None:
    """The order's header is its sender's own again."""
    header = bundle["entry"][0]["resource"]
    (destination,) = header.pop("destination")
    header["sender"] = destination["receiver"]


def others_of(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    """The hub's own entries that tell of others' plans."""
    found = [e["resource"] for e in bundle["entry"]]
    return [
        r
        for r in found
        if r["resourceType"] == "CarePlan"
        and any("related" in i.get("system", "") for i in r.get("identifier", ()))
    ]


def _strings(value: Any) -> list[tuple[Any, str]]:
    found: list[tuple[Any, str]] = []
    if isinstance(value, dict):
        for key, child in value.items():
            if key in {"description", "text"} and isinstance(child, str):
                found.append((value, key))
            elif key not in {"identifier", "meta"}:
                found += _strings(child)
    elif isinstance(value, list):
        for child in value:
            found += _strings(child)
    return found


ECHOES = (
    Echo("behandlingsplan", PSYK, SOCIAL),
    Echo("vum", SOCIAL, PSYK),
    Echo("handleplan-141", SOCIAL, PSYK, "typical.xml"),
    Echo("udskrivningsaftale", PSYK, SOCIAL, "typical.xml"),
)
