"""The two deployments, each a fresh one a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.deployment import Deployment
from tests.servers.rabbitmq import Vhost


@pytest.fixture(params=["embedded", "production"])
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployment]:
    """``embedded``: one process on SQLite. ``production``: serve and worker, two databases."""
    if request.param == "embedded":
        made = Deployment(tmp_path, ("all",), {})
    else:
        vhost: Vhost = request.getfixturevalue("rabbitmq_vhost")
        settings = {
            "KI_HUB_DATABASE_URL": request.getfixturevalue("database_url"),
            "KI_HUB_BUS_URL": vhost.url(),
            "KI_HUB_BUS_ADMIN_URL": vhost.admin_url,
            "KI_HUB_STATIC_CREDENTIALS": "true",
            "KI_HUB_OUTGOING_NETWORKS": "127.0.0.0/8",
        }
        made = Deployment(tmp_path, ("serve", "worker"), settings)
    with made:
        yield made


@pytest.fixture
def broker(deployment: Deployment) -> str:
    """The AMQP URL for the sectors' clients; empty on the embedded deployment."""
    return deployment.settings.get("KI_HUB_BUS_URL", "")
