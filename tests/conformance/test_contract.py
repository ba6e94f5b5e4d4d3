"""The contract of every validator, held by HL7's own beside the hub."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.ports import Validator
from hub.validators.hl7 import Hl7Validator, Sidecar
from tests.conformance.official import Official
from tests.contract import test_validator as suite

pytestmark = pytest.mark.timeout(1800)
# Whatever the suite gains is asked of both.
globals().update({name: test for name, test in vars(suite).items() if name.startswith("test_")})


@pytest.fixture(scope="module")
def validator(official: Official) -> Iterator[Validator]:
    """HL7's, over HTTP."""
    found = Hl7Validator(Sidecar(official.base, seconds=120))
    yield found
    found.close()
