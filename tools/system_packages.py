"""What no wheel brings: found, or installed where that is ours to do, or else named in one line."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Need:
    """A thing the system has to have. `what` is its name here and to Homebrew, `packages` its names to apt:
    libzbar0 became libzbar0t64 with the 64-bit time_t of Debian 13 and Ubuntu 24.04."""

    what: str
    present: Callable[[], bool]
    packages: tuple[str, ...]


def _zbar() -> bool:
    try:
        ctypes.CDLL("libzbar.so.0" if sys.platform == "linux" else "libzbar.dylib")
    except OSError:
        # Homebrew's folder is not on the loader's path of a system Python, but pyzbar searches it too.
        return any(Path(prefix, "lib/libzbar.dylib").exists() for prefix in ("/opt/homebrew", "/usr/local"))
    return True


def _browser() -> bool:
    if sys.platform == "darwin":
        return any(Path(f"/Applications/{name}.app").exists() for name in ("Chromium", "Google Chrome"))
    return any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))


def _font() -> bool:
    if sys.platform == "darwin":
        return True
    return any(Path("/usr/share/fonts").rglob("DejaVuSans.ttf"))


def _zmodem() -> bool:
    return all(map(shutil.which, ("sz", "rz")))


_ZBAR = Need("zbar", _zbar, ("libzbar0t64", "libzbar0"))
_CHROMIUM = Need("chromium", _browser, ("chromium",))
_DEJAVU = Need("dejavu fonts", _font, ("fonts-dejavu-core",))
_LRZSZ = Need("lrzsz", _zmodem, ("lrzsz",))

DEMO: tuple[Need, ...] = (_ZBAR,)
TEST: tuple[Need, ...] = (_ZBAR, _CHROMIUM, _DEJAVU, _LRZSZ)


def provide(needs: Sequence[Need]) -> None:
    """Install what is missing as root with apt-get, else say in one line what to type. Either way go on:
    whatever needs a missing library says so itself."""
    if os.name == "nt":
        return  # The wheels bring zbar, and Windows brings a browser.
    missing = [need for need in needs if not need.present()]
    if not missing:
        return
    if not shutil.which("apt-get"):
        brew = f"type: brew install {' '.join(need.what for need in missing)}"
        other = "install with this system's package manager"
        _say(f"missing: {_listed(missing)}; {brew if sys.platform == 'darwin' else other}")
        return
    root = os.geteuid() == 0
    if root:
        _say(f"installing {_listed(missing)} ...")
        if not _install(missing):
            _apt_get("update")
            _install(missing)
        missing = [need for need in missing if not need.present()]
    if missing:
        names = [_available(need) or need.packages[-1] for need in missing]
        _say(f"missing: {_listed(missing)}; type: {'' if root else 'sudo '}apt install {' '.join(names)}")


def _install(missing: list[Need]) -> bool:
    """Install those that apt knows. False if that did not work or there is one it does not know."""
    names = [_available(need) for need in missing]
    known = [name for name in names if name]
    installed = not known or _apt_get("install", "--yes", "--no-install-recommends", *known)
    return installed and len(known) == len(names)


def _available(need: Need) -> str | None:
    """The first of the need's names that apt could install from the lists it has, or None."""
    command = ["apt-cache", "madison", *need.packages]
    versions = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    offered = {version.split("|")[0].strip() for version in versions}
    return next((name for name in need.packages if name in offered), None)


def _apt_get(*arguments: str) -> bool:
    patience = ("Acquire::Retries=1", "Acquire::http::Timeout=30", "DPkg::Lock::Timeout=120")
    options = [word for option in patience for word in ("-o", option)]
    done = subprocess.run(
        ["apt-get", "-qq", *options, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        check=False,
    )
    return done.returncode == 0


def _listed(needs: list[Need]) -> str:
    return ", ".join(need.what for need in needs)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
