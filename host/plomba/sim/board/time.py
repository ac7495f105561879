"""The unix port's `time` with a clock that the rig can move. MicroPython only.

`ticks_ms` runs with real time (SIM_CLOCK=real) or stands still (SIM_CLOCK=stopped); `warp` moves it ahead. While a warp
lasts, the event loop's waiting takes no time, and every timer on the way fires in its order.
"""

import sys

_path = sys.path[:]
sys.path[:] = []
try:
    import time as _real
    from time import *  # noqa: F403
finally:
    sys.path[:] = _path

_state = [0, 0, True]
_OFFSET = 0
_LEFT = 1
_RUNS = 2


def ticks_ms() -> int:
    base = _real.ticks_ms() if _state[_RUNS] else 0
    return _real.ticks_add(base, _state[_OFFSET])


def sleep_ms(ms: int) -> None:
    """Blocks; a clock that stands still goes on meanwhile, for whoever waits with a limit."""
    _real.sleep_ms(ms)
    if not _state[_RUNS]:
        _state[_OFFSET] += ms


def stop() -> None:
    """The clock stands still from here on, but for warps."""
    _state[_OFFSET] = ticks_ms()
    _state[_RUNS] = False


def runs() -> bool:
    return _state[_RUNS]


def warp(ms: int) -> None:
    """Moves the clock `ms` ahead, timer by timer."""
    _state[_LEFT] += ms


def warping() -> int:
    """ms of the warp that are still to go."""
    return _state[_LEFT]


def leap(ms: int) -> None:
    """Takes a part of the warp at once."""
    _state[_OFFSET] += ms
    _state[_LEFT] -= ms
