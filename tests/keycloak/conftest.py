"""Keycloak needs Java and a minute: only the long tests (`make test-full`) run it."""

from __future__ import annotations

import os

if not os.environ.get("KI_HUB_TEST_FULL"):
    collect_ignore_glob = ["test_*.py"]
