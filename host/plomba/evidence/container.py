"""The pack as a file: a ZIP in one canonical form, so that every byte of it is either content or fully determined.

Members sorted by name, stored, dated 1980-01-01, no extra fields, no comments. Reading rebuilds the file from its
members and compares: a changed byte anywhere is found and located.
"""

from __future__ import annotations

import io
import zipfile

from plomba.errors import VerificationError

SIZE_MAX = 16 << 20
"""Bytes of the largest pack read."""


def write(members: dict[str, bytes]) -> bytes:
    """The one file that holds these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, members[name])
    return buffer.getvalue()


# All that zipfile raises for bytes that are no archive, or one with parts it does not know; tests flip every byte.
_DAMAGED = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, OSError),
    *(ValueError, OverflowError, IndexError),
)


def read(data: bytes) -> dict[str, bytes]:
    """The members. Raises VerificationError `pack_damaged` with the place for anything but a canonical pack."""
    if len(data) > SIZE_MAX:
        raise VerificationError("pack_damaged", where="pack", reason=f"over {SIZE_MAX} bytes")
    members: dict[str, bytes] = {}
    name = "pack"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                name = info.filename
                if info.file_size > len(data) or info.compress_type != zipfile.ZIP_STORED or name in members:
                    raise VerificationError("pack_damaged", where=name, reason="not in canonical form")
                members[name] = archive.read(info)
        canonical = write(members)
    except _DAMAGED as error:
        raise VerificationError("pack_damaged", where=name, reason=error) from error
    if canonical != data:
        at = next((i for i, (a, b) in enumerate(zip(canonical, data, strict=False)) if a != b), len(canonical))
        raise VerificationError("pack_damaged", where=f"byte {at}", reason="not in canonical form")
    return members
