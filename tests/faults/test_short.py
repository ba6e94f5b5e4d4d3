"""The suite's short form: a few faults of the main kinds. ``make faults`` does the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults.faults import KINDS
from tests.faults.run import run
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer

FEW = ("kill -9 worker", "commit cut", "kill -9 serve", "kill -9 postgres")


# pika leaves open the socket of a connection that was cut while it was made.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.timeout(300)
def test_a_few_faults_harm_nothing(
    tmp_path: Path, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> None:
    assert set(FEW) <= set(KINDS)
    said: list[str] = []
    outcome = run(
        tmp_path, FEW, 3, said.append, servers=(postgres_server, rabbitmq_server), citizens=1,
        most=2, pace=0.8,
    )  # fmt: skip
    assert outcome.violations == []
    assert len(said) == len(FEW)
    line = json.loads(json.dumps(outcome.line()))
    assert line["faults"] == len(FEW)
    assert line["acknowledged"] > 10
    assert sorted(line["recovery_s"]) == sorted(FEW)
