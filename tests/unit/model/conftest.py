"""Property tests that a busy machine does not fail: slowness is no finding here."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("model", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("model")
