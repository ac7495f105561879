"""Gate: no file of the project names a package registry's host or a path that exists on one machine only.

Prints `file:line: what` for each offence and exits 1; exits 0 in silence when there is none.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_REGISTRIES = (
    r"pypi\.org",
    r"pythonhosted\.org",
    r"anaconda\.org",
    r"registry\.npmjs\.org",
    r"registry\.yarnpkg\.com",
    r"unpkg\.com",
    r"jsdelivr\.net",
    r"cdnjs\.cloudflare\.com",
    r"crates\.io",
    r"proxy\.golang\.org",
    r"rubygems\.org",
    r"docker\.io",
    r"ghcr\.io",
    r"quay\.io",
)
_REGISTRY = re.compile(r"\b(?:" + "|".join(_REGISTRIES) + r")\b", re.IGNORECASE)


def main() -> int:
    one_machine = _one_machine()
    clean = True
    for path in _files():
        for number, what in _offences(ROOT / path, one_machine):
            print(f"{path}:{number}: {what}")
            clean = False
    return 0 if clean else 1


def _one_machine() -> re.Pattern[str]:
    """Anybody's home folder, and the place of this very tree unless its name is too short to mean it."""
    homes = [r"/home/\w", r"/Users/\w", r"/root(?=/)", r"[A-Za-z]:\\+Users\\+\w"]
    here = [re.escape(str(place)) for place in (ROOT, Path.home()) if len(place.parts) > 2]
    # Not inside a longer path or address: `terminal/home/x` is nobody's home.
    return re.compile(r"(?<![\w.)}\]*])(?:" + "|".join(homes + here) + ")")


def _files() -> list[str]:
    """What git tracks or would track; every file beside the caches where this is no git tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        return sorted(filter(None, listed.stdout.decode().split("\0")))
    return sorted(_walk())


def _walk() -> Iterator[str]:
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name == ".ci" or not name.startswith((".", "__pycache__"))]
        yield from (str(Path(folder, name).relative_to(ROOT)) for name in files)


def _offences(path: Path, one_machine: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    try:
        content = path.read_bytes()
    except OSError:
        return  # Deleted since it was tracked, or a dangling link.
    if b"\0" in content:
        return
    for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), 1):
        if found := _REGISTRY.search(line):
            yield number, f"names a package registry: {found[0]}"
        if path.suffix == ".lock" and "://" in line:
            yield number, "a lock with an address"
        if found := one_machine.search(line):
            yield number, f"names a path of one machine: {found[0]}"


if __name__ == "__main__":
    sys.exit(main())
