"""Read by Python before anything else, in a process that is to be broken."""

import os
import traceback

from tests.faults.sabotage import ALL, WHICH

try:
    ALL[os.environ[WHICH]]()
except Exception:
    # Python itself would go on without it, and the hub would be a whole one.
    traceback.print_exc()
    os._exit(70)
