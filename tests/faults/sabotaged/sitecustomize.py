"""Read by Python before anything else, in a process that is to be broken."""

import os

from tests.faults.sabotage import ALL, WHICH

ALL[os.environ[WHICH]]()
