"""The side channel of board and rig: screen, tones, lamp and rates out; keys, clock, power in. MicroPython only.

One JSON object a line, on the socket whose number is in SIM_PANEL_FD.
"""

import asyncio
import gc
import json
import os
import time

import norflash

_file = open(int(os.getenv("SIM_PANEL_FD")), "r+b")
_reader = asyncio.StreamReader(_file)
_keys = []
_pressed = asyncio.Event()
_serving = []
_held = []
_byte = bytearray(1)
_HELD_PIECE = 256
_battery = [int(os.getenv("SIM_BATTERY") or 255)]


def leave_heap() -> None:
    """Holds back heap until SIM_HEAP bytes are free: what a board has for data, its code being frozen into flash."""
    gc.collect()
    code = gc.mem_alloc()
    # Piece by piece it fills the gaps between what was compiled, and leaves one stretch, as where code lies in flash.
    while (excess := gc.mem_free() - int(os.getenv("SIM_HEAP"))) > 0:
        _held.append(bytearray(min(excess, _HELD_PIECE)))
    send({"code_heap": code, "free_heap": gc.mem_free()})


def stand_dark() -> None:
    """Nothing runs on a board without power: waits until the rig ends the process, or is gone itself."""
    while _file.readinto(_byte) != 0:
        time.sleep_ms(20)
    raise SystemExit


def release() -> bool:
    """Whether this is a release build."""
    return os.getenv("SIM_RELEASE") == "1"


def battery() -> int:
    """What the rig says the gauge says: percent, 255 = not known."""
    return _battery[0]


def send(message) -> None:
    """Tells the rig. A full socket is waited for: nothing may get lost on the way to an ear."""
    line = (json.dumps(message) + "\n").encode()
    view = memoryview(line)
    while len(view):
        written = _file.write(view)
        view = view[written or 0 :]


async def key() -> str:
    """The next key that the rig presses. Raises OSError when it breaks them."""
    if not _serving:
        _serving.append(asyncio.create_task(_serve()))
        _Poller.install()
    while not _keys:
        _pressed.clear()
        await _pressed.wait()
    key = _keys.pop(0)
    if key is None:
        raise OSError(5)
    return key


async def _serve() -> None:
    while True:
        line = await _reader.readline()
        if not line:
            raise SystemExit
        message = json.loads(line)
        if "key" in message:
            _keys.append(message["key"])
            _pressed.set()
        elif "warp" in message:
            time.warp(message["warp"])
        elif "worn" in message:
            norflash.device().wear_out()
        elif "battery" in message:
            _battery[0] = message["battery"]
        elif "cut" in message:
            norflash.device().cut(message["cut"], message["torn"])


class _Poller:
    """Stands before the event loop's poller: while a warp lasts, a wait is a leap of the clock."""

    def __init__(self, poller) -> None:
        self._poller = poller
        self.register = poller.register
        self.unregister = poller.unregister
        self.modify = poller.modify

    @staticmethod
    def install() -> None:
        queue = asyncio.core._io_queue
        queue.poller = _Poller(queue.poller)
        if os.getenv("SIM_CLOCK") == "stopped":
            time.stop()

    def ipoll(self, timeout: int = -1):
        left = time.warping()
        if left and timeout:
            ready = [(entry[0], entry[1]) for entry in self._poller.ipoll(0)]
            if ready:
                return ready
            time.leap(left if timeout < 0 else min(timeout, left))
            if not time.warping():
                send({"warped": True})
            return ()
        if timeout > 0 and not time.runs():
            timeout = -1
        return self._poller.ipoll(timeout)
