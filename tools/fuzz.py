"""`python3 tools fuzz`: hostile bytes for every decoder of both ends, guided by coverage where atheris runs, and for
the real terminal under MicroPython. Prints one JSON object last; exit 1 when anything came out that may not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

_LENGTH_MAX = 8192
_RSS_MAX_MB = 1024
_FLOOD = 1 << 16


def main() -> int:
    options = _options()
    if options.child:
        return _child(options)
    import fuzz_targets

    names = options.target or list(fuzz_targets.TARGETS)
    share = max(1, options.runs // len(names))
    guided = any(Path(options.fuzzer).glob("atheris*")) if options.fuzzer else False
    facts: dict[str, Any] = {
        "engine": "atheris" if guided else "random",
        "seed": options.seed,
        "runs": 0,
        "uncaught": 0,
        "targets": {},
    }
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            found = _target(options, name, share, Path(folder), fuzz_targets.seeds)
            facts["targets"][name] = found
            facts["runs"] += found["runs"]
            facts["uncaught"] += found["uncaught"]
    if options.terminal:
        facts["terminal"] = asyncio.run(_terminal(options.seed, max(20, options.runs // 500)))
        facts["uncaught"] += not facts["terminal"]["answers"]
    print(json.dumps(facts))
    return 1 if facts["uncaught"] else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 tools fuzz")
    parser.add_argument("--runs", type=int, default=100_000, help="inputs for all decoders together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", action="append", help="one decoder only; may be said again")
    parser.add_argument("--no-terminal", dest="terminal", action="store_false", help="leave the real terminal out")
    parser.add_argument("--fuzzer", default="", help=argparse.SUPPRESS)
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    parser.add_argument("--corpus", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _target(options: argparse.Namespace, name: str, runs: int, folder: Path, seeds: Any) -> dict[str, Any]:
    """One decoder in a process of its own, so that a crash of the interpreter is a finding too."""
    corpus = folder / name
    corpus.mkdir()
    for number, (target, data) in enumerate(seeds()):
        if target == name:
            (corpus / str(number)).write_bytes(data)
    print(f"{name}: {runs} runs", file=sys.stderr, flush=True)
    command = [sys.executable, __file__, "--child", name, "--runs", str(runs), "--seed", str(options.seed)]
    done = subprocess.run(
        [*command, "--corpus", str(corpus), "--fuzzer", options.fuzzer],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = done.stdout.decode(errors="replace")
    found: dict[str, Any] = {"runs": runs, "uncaught": int(done.returncode != 0)}
    sizes = [int(size) for size in re.findall(r"rss: (\d+)Mb", said)]
    if sizes:
        found["rss_mb"] = {"first": sizes[0], "last": sizes[-1]}
    if done.returncode:
        found["said"] = said[-2000:]
        print(said[-4000:], file=sys.stderr)
    return found


def _child(options: argparse.Namespace) -> int:
    if options.fuzzer and any(Path(options.fuzzer).glob("atheris*")):
        return _guided(options)
    import fuzz_targets

    target = fuzz_targets.TARGETS[options.child]
    random = Random(options.seed)
    seeds = [path.read_bytes() for path in sorted(Path(options.corpus).iterdir())] or [b""]
    for run in range(options.runs):
        data = mutated(random, seeds)
        try:
            target(data)
        except Exception:
            traceback.print_exc()
            print(f"input: {data.hex()}")
            return 1
        if run in (options.runs // 10, options.runs - 1):
            print(f"rss: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}Mb")
    return 0


def _guided(options: argparse.Namespace) -> int:
    sys.path.insert(0, options.fuzzer)
    import atheris

    with atheris.instrument_imports(include=["plomba", "plomba_wire"]):
        import fuzz_targets

    atheris.Setup(
        [
            sys.argv[0],
            options.corpus,
            f"-runs={options.runs}",
            f"-seed={options.seed}",
            f"-max_len={_LENGTH_MAX}",
            f"-rss_limit_mb={_RSS_MAX_MB}",
            f"-artifact_prefix={options.corpus}-",
            "-timeout=60",
        ],
        fuzz_targets.TARGETS[options.child],
    )
    atheris.Fuzz()
    return 0


def mutated(random: Random, seeds: list[bytes]) -> bytes:
    """A seed with some bytes changed, cut out, doubled or put in, or one that goes on as another one."""
    data = bytearray(random.choice(seeds))
    for _ in range(random.choice((0, 1, 1, 2, 4, 16))):
        at = random.randint(0, len(data))
        how = random.randrange(6)
        if how == 0 and data:
            data[at % len(data)] ^= 1 << random.randrange(8)
        elif how == 1 and data:
            data[at % len(data)] = random.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))
        elif how == 2:
            del data[at : at + random.choice((1, 2, 16))]
        elif how == 3:
            data[at:at] = random.randbytes(random.choice((1, 2, 16, 300)))
        elif how == 4:
            data[at:at] = data[at : at + random.choice((1, 8, 64))]
        else:
            data[at:] = random.choice(seeds)[at:]
    return bytes(data[:_LENGTH_MAX])


async def _terminal(seed: int, chunks: int) -> dict[str, Any]:
    """Random and mutated chunks for the firmware under MicroPython; then it has to say who it is, and keep a scan."""
    import fuzz_targets
    from plomba.sim.virtual_terminal import VirtualTerminal
    from plomba.terminal import Terminal
    from plomba.transport import open_transport

    random = Random(seed)
    seeds = [data for target, data in fuzz_targets.seeds() if target in ("stream", "terminal")]
    poured = 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with VirtualTerminal(Path(folder) / "terminal", engine_pace=20.0) as virtual:
            for number in range(chunks):
                data = mutated(random, seeds)
                if data[:1] and data[0] & 1:
                    data = b"".join(fuzz_targets._pieces(data))
                if number % 50 == 0:
                    data = random.randbytes(_FLOOD).replace(b"\0", b"\1")
                end = virtual.relay.down.bytes + len(data)
                transport = open_transport(virtual.port)
                await transport.open()
                await transport.write(data)
                await virtual.wait_until(partial(_passed, virtual, end))
                await transport.close()
                poured += len(data)
            async with Terminal(open_transport(virtual.port)) as session:
                answers = len((await session.public_key()).public) == 64
            said = virtual.output
    return {
        "chunks": chunks,
        "bytes": poured,
        "answers": answers and not said,
        "said": said[-500:],
        "seconds": round(time.monotonic() - began, 1),
    }


def _passed(virtual: Any, end: int) -> bool:
    return bool(virtual.relay.down.bytes >= end)


if __name__ == "__main__":
    sys.exit(main())
