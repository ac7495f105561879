"""Application images for a terminal on the workbench: the firmware as it is, or with a line of it gone wrong."""

from __future__ import annotations

import shutil
import time
from functools import cache
from pathlib import Path

from authority import Authority
from workbench import Workbench

from plomba import image
from plomba.image import Version
from plomba.sim.interpreter import firmware_path
from plomba.trust.objects import package
from plomba.trust.organisation import Signer
from plomba_wire.vocabulary import ObjectKind, Role

BUILT_IN = Version(0, 1, 0)
SECOND = Version(0, 2, 0)
THIRD = Version(0, 3, 0)
FLOOR = BUILT_IN


@cache
def content(version: Version, floor: Version = FLOOR) -> bytes:
    return image.build(version, board="sim", floor=floor)


def broken(folder: Path, version: Version, name: str, line: str, instead: str) -> bytes:
    """An image of the firmware with one line of one module changed."""
    firmware = shutil.copytree(firmware_path()[1], folder / f"firmware-{version}")
    path = firmware / name
    source = path.read_text(encoding="utf-8")
    assert source.count(line) == 1, line
    path.write_text(source.replace(line, instead), encoding="utf-8")
    return image.build(version, board="sim", floor=FLOOR, firmware=firmware)


def release_signer(bench: Workbench) -> Signer:
    return Authority(bench.organisation.root).signer(Role.RELEASE)


def signed(bench: Workbench, body: bytes, version: Version, signer: Signer | None = None) -> bytes:
    signer = signer or release_signer(bench)
    now = int(time.time())
    return package(ObjectKind.IMAGE, body, signer.key, signer.certificate, version=version.number, not_before=now - 60)


async def push(bench: Workbench, body: bytes, version: Version, signer: Signer | None = None) -> None:
    """Everything receipted, then the image, then BYE: the terminal starts again with it."""
    await bench.sync()
    await bench.push(ObjectKind.IMAGE, version.number, signed(bench, body, version, signer))
