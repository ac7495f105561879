"""Cuts the power in the life of a terminal, and again in the one after it; a block goes bad. Under MicroPython only.

A workload is a Life: what it does to flash it does in steps, and every step is lived first and cut afterwards. Of each
of its operations an image is left as a cut leaves it, another Life starts on that image, recovers and goes on, and
tells what is not as it was promised. That life's steps are cut in the same way, once more.

Nothing depends on which cuts are made: the dice of a life are its seed and the number of its operation. So a case is
named by seed, cut and second cut, and is found again without the others.
"""

import json
import random
import sys

import nor

SHOWN = 12
_SCALE = 1 << 20
_DEPTH = 2


class Broken(Exception):
    """A promise was broken. It was written down already."""


class Case:
    """Which life, on which flash, and where it is cut; as in the token `NAME:SEED[:bad=…][:cut=…][:then=…]`."""

    def __init__(self, seed: int, bad=None, cuts=()) -> None:
        self.seed = seed
        self.bad = bad
        self.cuts = cuts

    def token(self, name: str) -> str:
        token = f"{name}:{self.seed}"
        if self.bad:
            mode, block, since = self.bad
            token += f":bad={nor.BAD_MODES[mode]},{block},{since}"
        for level, (number, end) in enumerate(self.cuts):
            token += f":{('cut', 'then')[level]}={number},{end}"
        return token


class Life:
    """What a workload is made of. A subclass has a NAME, BLOCKS, VARIANTS (lives that differ by more than dice), and

    begin()     the state before the first step, on a blank chip, without cuts
    live()      the life that is cut, in steps
    fork(child) gives `child` a copy of what was promised, and of what is under way
    recover()   a start of the board on flash as it is; tells what is not as it was promised
    go_on()     the life after that
    enter()     before a step, and leave() after it, for what is mounted

    `cut` is (kind, address, end) of the operation that was cut before this life, None for the first one.
    """

    NAME = ""
    BLOCKS = 0
    VARIANTS = 1

    def __init__(self, sweep, case: Case, level: int, stream: int) -> None:
        self.sweep = sweep
        self.case = case
        self.level = level
        self.chip = sweep.chips[level]
        self.variant = case.seed % self.VARIANTS
        self.operations = 0
        self.ways = 0
        self.cut = None
        self._stream = stream

    def enter(self) -> None:
        pass

    def leave(self) -> None:
        pass

    def bad_blocks(self) -> int:
        """Blocks that go bad in turn, the first ones of the chip."""
        return self.BLOCKS

    @property
    def cannot_read(self) -> bool:
        """A block is bad, and what it holds is out of reach."""
        return self.chip.bad >= 0 and self.chip.mode == nor.READ_ERROR

    def refused(self, error) -> None:
        """Flash failed and it was said: right on a bad block, wrong on any other flash. Raises `error`."""
        if self.chip.bad < 0:
            raise error
        self.sweep.refused += 1

    def ended(self, error) -> None:
        """What a life that ends by an exception has to say."""
        self.sweep.violation(self.case, repr(error))
        if self.sweep.replay:
            sys.print_exception(error)

    def wrong(self, what: str) -> None:
        """Raises Broken."""
        self.sweep.violation(self.case, what)
        raise Broken(what)

    def step(self, act):
        """What act() gives or raises; then each of its flash operations is cut. It may not change what was promised."""
        base = self.sweep.bases[self.level] if self.level < _DEPTH else None
        seen = []
        if base:
            base.image[:] = self.chip.image
            base.bad = self.chip.bad
        self.chip.before = lambda chip, kind, at, data: self._operation(seen, kind, at, data)
        found = failed = None
        try:
            self.enter()
            found = act()
        except Exception as error:
            failed = error
        self.chip.before = None
        self.leave()
        self.operations += len(seen)
        if base:
            self._cut_each(base, seen)
        random.seed(mixed(self._stream, self.operations))
        if failed:
            raise failed
        return found

    def _operation(self, seen, kind: int, at: int, data) -> None:
        seen.append((kind, at, data and bytes(data)))
        bad = self.case.bad
        if bad and not self.level and self.operations + len(seen) >= bad[2]:
            self.chip.bad = bad[1]

    def _cut_each(self, base, seen) -> None:
        number = self.operations - len(seen)
        for kind, at, data in seen:
            number += 1
            if self.case.bad and not self.level and number >= self.case.bad[2]:
                base.bad = self.case.bad[1]
            for end in range(len(nor.ends(kind))):
                self.ways += 1
                if self.sweep.chosen(self, number, end):
                    self._cut(base, number, kind, at, data, end)
            base.do(kind, at, data)

    def _cut(self, base, number: int, kind: int, at: int, data, end: int) -> None:
        stream = mixed(self._stream, number, end)
        cuts = list(self.case.cuts)
        cuts.append((number, end))
        case = Case(self.case.seed, self.case.bad, cuts)
        child = type(self)(self.sweep, case, self.level + 1, stream)
        child.cut = (kind, at, end)
        chip = child.chip
        chip.before = None
        chip.image[:] = base.image
        chip.bad = base.bad
        random.seed(stream)
        chip.tear(kind, at, data, end)
        self.fork(child)
        self.sweep.cuts[self.level] += 1
        child.survive()

    def survive(self) -> None:
        try:
            self.recover()
            self.go_on()
        except Broken:
            pass
        except Exception as error:
            self.ended(error)
        self.leave()


class Sweep:
    """Lives of one workload, until there were `cuts` of them cut, and then on bad flash."""

    def __init__(self, kind, settings) -> None:
        self.kind = kind
        self.settings = settings
        self.replay = settings.get("replay")
        self.cuts = [0, 0]
        self.bad_block_runs = 0
        self.operations = 0
        self.violations = []
        self.wrongs = 0
        self.refused = 0
        self.share = self.second = 0
        self.chips = [nor.Nor(nor.blank(kind.BLOCKS)) for _ in range(_DEPTH + 1)]
        self.bases = [nor.Nor(nor.blank(kind.BLOCKS)) for _ in range(_DEPTH)]
        # Signatures are verified in every life anew: one verdict for the same question is enough.
        remember_verdicts()

    def violation(self, case: Case, what: str) -> None:
        self.wrongs += 1
        if len(self.violations) < SHOWN:
            self.violations.append([case.token(self.kind.NAME), what])

    def chosen(self, life: Life, number: int, end: int) -> bool:
        bad = life.case.bad
        if bad and not life.level and number < bad[2]:
            return False
        if self.replay:
            wanted = self.replay["cuts"]
            return life.level < len(wanted) and [number, end] == wanted[life.level]
        return mixed(life._stream, number, end, 5) % _SCALE < (self.second if life.level else self.share)

    def live(self, case: Case) -> Life:
        """The first life, with the cuts that are chosen."""
        for chip in self.chips + self.bases:
            chip.bad = -1
            chip.mode = case.bad[0] if case.bad else 0
        chip = self.chips[0]
        for at in range(0, len(chip.image), nor.PAGE):
            chip.image[at : at + nor.PAGE] = b"\xff" * nor.PAGE
        stream = mixed(case.seed, 77)
        random.seed(stream)
        life = self.kind(self, case, 0, stream)
        try:
            life.begin()
            random.seed(mixed(stream, 0))
            life.live()
        except Broken:
            pass
        except Exception as error:
            life.ended(error)
        life.leave()
        return life

    def run(self):
        if self.replay:
            bad = self.replay["bad"]
            self.live(Case(self.replay["seed"], tuple(bad) if bad else None))
        else:
            self._good(self.settings["seed"], self.settings["cuts"])
            self._bad(self.settings["seed"], self.settings["bad_block_runs"], self.settings["bad_block_cuts"])
        return {
            "operations": self.operations,
            "cuts": self.cuts[0],
            "second_cuts": self.cuts[1],
            "bad_block_runs": self.bad_block_runs,
            "refused": self.refused,
            "violations": self.wrongs,
            "shown": self.violations,
        }

    def _good(self, seed: int, cuts: int) -> None:
        """Every variant gets its share; what is still missing comes from other seeds."""
        variants = self.kind.VARIANTS
        done = 0
        while self.cuts[0] < cuts and self.wrongs < SHOWN:
            case = Case(seed + done)
            self.share = 0
            life = self.live(case)
            self.operations += life.operations
            if not life.ways:
                return
            left = cuts - self.cuts[0]
            self.share = _SCALE * -(-left // max(1, variants - done)) // life.ways + 1
            self.second = self.settings["second"] * _SCALE // 1000
            self.live(case)
            done += 1

    def _bad(self, seed: int, runs: int, cuts: int) -> None:
        """Each block in each way, from the start or from the middle on; `runs` of them in a seeded order."""
        ways = []
        at = seed - 1
        for _ in range(runs):
            if self.wrongs >= SHOWN:
                return
            if not ways:
                at += 1
                self.share = 0
                life = self.live(Case(at))
                if not life.ways:
                    return
                modes, blocks = range(len(nor.BAD_MODES)), range(life.bad_blocks())
                ways = [(mode, block, late) for late in range(2) for block in blocks for mode in modes]
                ways.sort(key=lambda way: mixed(at, way[0], way[1], way[2]))
            mode, block, late = ways.pop()
            since = 1 + late * (mixed(at, mode, block) % life.operations)
            self.share = _SCALE * cuts // life.ways
            if late:
                self.share = self.share * life.operations // (life.operations + 1 - since)
            self.live(Case(at, (mode, block, since)))
            self.bad_block_runs += 1


def mixed(*numbers: int) -> int:
    """A number of 30 bits that looks like none of those it was made of."""
    found = 0x2545F491
    for number in numbers:
        found = (found ^ (number & 0x3FFFFFFF)) * 0x9E3779B1 & 0xFFFFFFFF
        found = (found ^ found >> 15) * 0x85EBCA6B & 0xFFFFFFFF
        found ^= found >> 13
    return found & 0x3FFFFFFF


def remember_verdicts() -> None:
    from terminal.keys import p256

    known = {}
    verify = p256.verify

    def remembered(public, digest, signature):
        question = bytes(public) + bytes(digest) + bytes(signature)
        if question not in known:
            known[question] = verify(public, digest, signature)
        return known[question]

    p256.verify = remembered


def main(kind) -> None:
    """Reads the settings of tools/sweep.py from stdin and prints in JSON what was found."""
    settings = json.loads(sys.stdin.readline())
    print(json.dumps(Sweep(kind, settings).run()))
