"""GET /metrics: counts for Prometheus, read from the store when asked; no unit, plan or person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from hub.api.security import HubDep, OperatorDep
from hub.services.hub import Hub
from hub.services.overview import Numbers, numbers, readiness

ROUTER = APIRouter(tags=["operations"])


@ROUTER.get("/metrics", response_class=Response)
def metrics(hub: HubDep, operator: OperatorDep) -> Response:
    """Deliveries by state, losses, endpoints that fail, open tasks, what answers; the operator's
    credential."""
    registry = CollectorRegistry()
    registry.register(_Store(hub))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Store(Collector):
    """What stands in the store now."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Each metric with its samples."""
        found = numbers(self._hub)
        yield _family("deliveries", "Deliveries by state", ("state",), _by_state(found))
        yield _family(
            "losses", "What translations could not carry", ("direction", "format", "kind"),
            found.losses,
        )  # fmt: skip
        yield _family(
            "endpoints", "Endpoints that fail: open is left alone, half-open is probed", ("state",),
            found.endpoints,
        )  # fmt: skip
        yield _family("open_tasks", "What a person must do, by kind", ("kind",), found.tasks)
        silent: Counter[tuple[str, ...]] = Counter({(): found.silent})
        yield _family("silent_receivers", "Receivers that are not heard of", (), silent)
        answers: Counter[tuple[str, ...]] = Counter()
        answers.update({(name,): int(not why) for name, why in readiness(self._hub).items()})
        yield _family("ready", "1 if it answers and takes what comes, by part", ("part",), answers)


def _by_state(found: Numbers) -> Counter[tuple[str, ...]]:
    counted: Counter[tuple[str, ...]] = Counter()
    for states in found.deliveries.values():
        counted.update({(state,): number for state, number in states.items()})
    return counted


def _family(
    name: str, text: str, labels: tuple[str, ...], samples: Counter[tuple[str, ...]]
) -> GaugeMetricFamily:
    made = GaugeMetricFamily(f"ki_hub_{name}", text, labels=labels)
    for values, number in sorted(samples.items()):
        made.add_metric(values, number)
    return made
