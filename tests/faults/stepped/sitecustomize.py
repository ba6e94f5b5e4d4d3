"""Read by Python before anything else, in a process whose clock can be stepped.

libfaketime refuses the deadline that ``time.sleep`` gives to the system: it takes the monotonic
clock's for one of the clock that it sets. So sleeping is done by another call of the same length.
"""

import select
import time


def _sleep(seconds: float) -> None:
    select.select((), (), (), seconds)


time.sleep = _sleep
