"""The small state of a terminal: saved values of every length, and a counter of starts.

What is promised: after a cut each value is the old one or the new one, all others are what they were, and saving goes
on. The very first start, which formats, can be cut too (variant 0).
"""

import random

import nor
from power import main
from small_state import SmallState

_NAMES = ("receipt", "root", "language")
_SIZES = (0, 1, 2, 64, 250, 700, 3000)
_SAVES = 30


class Config(SmallState):
    NAME = "config"
    VARIANTS = 2

    def begin(self) -> None:
        if self.variant:
            super().begin()
            return
        self.held = {}
        self.coming = None
        self.mounted = self.used = False

    def live(self) -> None:
        if not self.used:
            self.step(lambda: None)
            self.used = True
        for number in range(_SAVES):
            if number % 3 == 0:
                self.save("boot", number.to_bytes(2, "big"))
            else:
                name = _NAMES[random.getrandbits(8) % len(_NAMES)]
                self.save(name, nor.noise(_SIZES[random.getrandbits(8) % len(_SIZES)]))
            if number % 6 == 5:
                self.step(self.check)

    def recover(self) -> None:
        self.step(self.check)
        self.used = True

    def go_on(self) -> None:
        self.save("boot", nor.noise(2))
        self.save(_NAMES[self.cut[1] % len(_NAMES)], nor.noise(40))
        self.step(self.check)


main(Config)
