"""`plomba image`: the terminal's firmware as a file, built by whoever has the sources, signed by the release key."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from plomba import image
from plomba.errors import StoreError
from plomba.image import Version
from plomba.trust.organisation import Organisation

_FLOOR = "0.1.0"


def build(
    version: str,
    *,
    out: Path,
    board: Annotated[str, Parameter(help="The board it is for.")] = "sim",
    floor: Annotated[str, Parameter(help="Once this image has come up, nothing older than that runs.")] = _FLOOR,
    release: Annotated[bool, Parameter(negative="", help="Close the board's console: no Ctrl-C, no REPL.")] = False,
) -> int:
    """Compile the firmware into the image OUT, which nobody has signed yet. VERSION is written as 1.2.3.

    Example: plomba image build 0.2.0 --out plomba-0.2.0.image --release
    """
    number = Version.parse(version)
    content = image.build(number, board=board, floor=Version.parse(floor), release=release)
    _write(out, content)
    print(json.dumps({"image": str(out), "version": str(number), "board": board, "bytes": len(content)}))
    return 0


def sign(content: Path, *, org: Path, out: Path) -> int:
    """Sign the image CONTENT with the organisation's release key (`plomba org issue ORG release`).

    Example: plomba image sign plomba-0.2.0.image --org org --out plomba-0.2.0.signed
    """
    now = int(time.time())
    signer = Organisation.load(org).signer("release", now=now)
    try:
        body = content.read_bytes()
    except OSError as error:
        raise StoreError("image_unreadable", path=content, reason=error.strerror) from error
    data = image.sign(body, signer, now=now)
    _write(out, data)
    print(json.dumps({"image": str(out), "version": str(image.version(data)), "bytes": len(data)}))
    return 0


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError as error:
        raise StoreError("file_unwritable", path=path, reason=error.strerror) from error
