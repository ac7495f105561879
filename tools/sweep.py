"""`python3 tools sweep power`: the power is cut at every flash operation of the terminal's workloads, and cut again in
what follows; blocks go bad in five ways. Held against a plain model of what was promised (docs/sweeps.md).

Prints a line a workload, and one JSON object last. Exit code: 0 no violation, 1 some, 2 a sweep that cannot be made.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plomba.errors import PlombaError
from plomba.sim.interpreter import interpreter

ROOT = Path(__file__).resolve().parent.parent
_FOLDERS = ("tests/power", "tests/journal", "firmware", "firmware/lib", "protocol")
_PATH = ":".join([*(str(ROOT / folder) for folder in _FOLDERS), ".frozen"])
_HEAP = "512wk"
"""Not a board's: a sweep holds images of the flash before every cut. Tests of the heap stand elsewhere."""
_DEPTH = 2
_LONG = 100_000

Facts = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """`share` of all cuts, in percent; of the operations after a cut, `second` of a thousand ways are cut again.

    Of a thousand cuts, `bad` lives on a bad block are lived besides.
    """

    share: int
    second: int
    bad: int


WORKLOADS = {
    "journal": Workload(share=45, second=5, bad=20),
    "config": Workload(share=10, second=5, bad=60),
    "manifest": Workload(share=15, second=1, bad=20),
    "rules": Workload(share=10, second=3, bad=20),
    "lists": Workload(share=10, second=3, bad=20),
    "epoch": Workload(share=10, second=3, bad=15),
    "image": Workload(share=10, second=1, bad=8),
}
"""Each is tests/power/NAME_mpy.py."""
_BAD_LIVES = 1500
"""At most, of one workload: each block in each way many times over."""
_BAD_CUTS = 6
"""Cuts in a life on a bad block."""

_MODES = ("program-error", "erase-error", "read-error", "program-noop", "erase-noop")
_TOKEN = re.compile(
    r"(?P<name>[a-z]+):(?P<seed>\d+)"
    r"(:bad=(?P<mode>[a-z-]+),(?P<block>\d+),(?P<since>\d+))?"
    r"(:cut=(?P<cut>\d+,\d+)(:then=(?P<then>\d+,\d+))?)?"
)


class NoSweep(Exception):
    """What stands in the way of a sweep."""


def sweep(names: list[str], cuts: int, seed: int, quiet: bool) -> Facts:
    """The report of a whole sweep. Raises NoSweep, PlombaError `no_interpreter`."""
    whole = sum(WORKLOADS[name].share for name in names)
    found: Facts = {}
    for name in names:
        workload = WORKLOADS[name]
        found[name] = _run(
            name,
            seed=seed,
            cuts=-(-cuts * workload.share // whole),
            second=workload.second,
            bad_block_runs=min(_BAD_LIVES, -(-cuts * workload.bad // 1000)),
            bad_block_cuts=_BAD_CUTS,
        )
        if not quiet:
            _tell(name, found[name])
    return found


def replay(token: str) -> Facts:
    """One case, as a violation names it. Raises NoSweep, PlombaError `no_interpreter`."""
    match = _TOKEN.fullmatch(token)
    if match is None or match["name"] not in WORKLOADS or match["mode"] not in (None, *_MODES):
        raise NoSweep(f"{token!r} names no case; take it from a violation as it was printed")
    bad = [_MODES.index(match["mode"]), int(match["block"]), int(match["since"])] if match["mode"] else None
    wanted = [[int(number) for number in cut.split(",")] for cut in (match["cut"], match["then"]) if cut]
    found = _run(match["name"], replay={"seed": int(match["seed"]), "bad": bad, "cuts": wanted})
    if [found["cuts"], found["second_cuts"]] != [len(wanted) > 0, len(wanted) > 1] and not found["violations"]:
        raise NoSweep(f"{token!r}: this life has no such operation; was the code another?")
    return {match["name"]: found}


def _run(name: str, **settings: Any) -> Facts:
    began = time.monotonic()
    # The settings go in over stdin: an argument of more than 255 bytes kills this interpreter.
    finished = subprocess.run(
        [interpreter(), "-X", f"heapsize={_HEAP}", str(ROOT / "tests" / "power" / f"{name}_mpy.py")],
        input=json.dumps(settings) + "\n",
        env={**os.environ, "MICROPYPATH": _PATH},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = finished.stdout.splitlines()
    if finished.returncode or not lines:
        said = "\n".join(lines[-20:]) + finished.stderr
        raise NoSweep(f"{name}: MicroPython ended with {finished.returncode}\n{said}")
    if "replay" in settings:
        print("\n".join(lines[:-1]), end="\n" if lines[1:] else "", file=sys.stderr)
    found: Facts = json.loads(lines[-1])
    return {**found, "seconds": round(time.monotonic() - began, 1)}


def _tell(name: str, found: Facts) -> None:
    columns = (
        ("operations", 6, "operations"),
        ("cuts", 8, "cuts"),
        ("second_cuts", 8, "second cuts"),
        ("bad_block_runs", 6, "lives on a bad block"),
        ("refused", 6, "refused"),
        ("violations", 5, "violations"),
        ("seconds", 8, "s"),
    )
    print(f"{name:<9}" + "".join(f"{found[key]:>{width}} {word}" for key, width, word in columns), flush=True)
    for token, what in found["shown"]:
        print(f"  {what}\n  → python3 tools sweep power --replay {token}", flush=True)


def _report(seed: int | None, found: Facts) -> Facts:
    kept = ("operations", "cuts", "second_cuts", "bad_block_runs", "violations")
    return {
        "cuts": sum(each["cuts"] for each in found.values()),
        "second_cuts": sum(each["second_cuts"] for each in found.values()),
        "bad_block_runs": sum(each["bad_block_runs"] for each in found.values()),
        "depth": _DEPTH,
        "violations": sum(each["violations"] for each in found.values()),
        "seed": seed,
        "workloads": {name: {key: each[key] for key in kept} for name, each in found.items()},
        "replays": [token for each in found.values() for token, _ in each["shown"]],
    }


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 tools sweep", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("sweep", choices=["power"])
    parser.add_argument("--cuts", type=int, default=3000, help="about so many first cuts, for all workloads together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--long", action="store_true", help=f"{_LONG} cuts or more")
    parser.add_argument("--workload", action="append", choices=list(WORKLOADS), help="this one only; may be said again")
    parser.add_argument("--replay", metavar="CASE", help="one case again, as a violation names it")
    parser.add_argument("--json", action="store_true", help="the JSON object only")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    try:
        if options.replay:
            found = replay(options.replay)
            if not options.json:
                for name, each in found.items():
                    _tell(name, each)
        else:
            cuts = max(options.cuts, _LONG if options.long else 1)
            found = sweep(options.workload or list(WORKLOADS), cuts, options.seed, options.json)
    except NoSweep as problem:
        print(f"sweep: {problem}", file=sys.stderr)
        return 2
    except PlombaError as error:
        print(f"sweep: {error.what()}  [{error.code}]\n  → {error.next_step()}", file=sys.stderr)
        return 2
    report = _report(None if options.replay else options.seed, found)
    print(json.dumps(report))
    return 1 if report["violations"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
