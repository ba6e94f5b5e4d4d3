"""One writer of a race, in a process of its own: ``python -m tests.api.fhir.racing``.

Arguments: the hub's folder, its database, its credentials as JSON, who writes. Then a line of JSON
a request (resource, version) on stdin, and the HTTP status of its answer on stdout.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from hub.runtime.bootstrap import close
from hub.runtime.logging import configure
from tests.api.fhir.writing import put
from tests.api.world import opened


def main() -> None:
    folder, url, secrets, who = sys.argv[1:]
    configure("ERROR")
    world = opened(Path(folder), json.loads(secrets), database_url=url, static_credentials=True)
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        resource, match = json.loads(line)
        print(put(world, resource, match, who).status_code, flush=True)  # noqa: T201
    close(world.hub)


if __name__ == "__main__":
    main()
