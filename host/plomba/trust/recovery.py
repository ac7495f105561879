"""The root again from its sheet: under a new passphrase, in a folder that still stands or in a new one."""

from __future__ import annotations

from pathlib import Path

from plomba.errors import StoreError, UsageError, VerificationError
from plomba.trust import issued, root_file, staged_files
from plomba.trust.keys import fingerprint
from plomba.trust.organisation import REVOCATIONS, Organisation
from plomba.trust.public_copy import public_files
from plomba.trust.recovery_sheet import Sheet
from plomba.trust.revocations import Revocations


def recover(
    folder: Path,
    sheet: Sheet,
    *,
    now: int,
    passphrase: bytes | None,
    root_key: Path | None = None,
    copy: Path | None = None,
) -> Organisation:
    """Writes the root's file anew.

    Where the folder is lost too, dock and desk get new keys; `copy` is an exported folder, for the certificates,
    revocations and rotations, which the sheet does not hold. Raises UsageError `sheet_unreadable`, `sheet_former` (of a
    root before the last rotation), `sheet_foreign` (another organisation's); StoreError.
    """
    if sheet.fingerprint not in (None, fingerprint(sheet.key.public)):
        raise UsageError("sheet_unreadable")
    if not staged_files.located(folder, "root.pub").exists():
        return _anew(folder, sheet, now, passphrase, root_key, copy)
    organisation = Organisation.load(folder)
    _refuse_other(sheet, organisation.trust.root, organisation.former)
    target = root_key or folder / root_file.NAME
    pem = sheet.key.pem(passphrase)
    with organisation.writing():
        root_file.settle(target, sheet.key.id)
        staged_files.replace(target, pem)
    return Organisation.load(folder, passphrase=passphrase, root_key=root_key)


def _anew(
    folder: Path, sheet: Sheet, now: int, passphrase: bytes | None, root_key: Path | None, copy: Path | None
) -> Organisation:
    files: dict[str, bytes] = {}
    held = None
    if copy is not None:
        try:
            files = public_files(copy)
            former = [files[name] for name in sorted(files) if name.startswith("former/")]
            _refuse_other(sheet, files["root.pub"], former)
            held = Revocations.open(files[REVOCATIONS], sheet.key.public) if REVOCATIONS in files else None
            issued.read_all(copy, [sheet.key.public, *former])
        except OSError as error:
            raise StoreError("org_missing", path=copy) from error
        except VerificationError as error:
            raise StoreError("org_mixed", path=copy) from error
    return Organisation.create(
        folder, now=now, passphrase=passphrase, root_key=root_key, root=sheet.key, held=held, copy=files
    )


def _refuse_other(sheet: Sheet, root: bytes, former: tuple[bytes, ...] | list[bytes]) -> None:
    if sheet.key.public == root:
        return
    code = "sheet_former" if sheet.key.public in former else "sheet_foreign"
    raise UsageError(code, found=fingerprint(sheet.key.public)[:32], root=fingerprint(root)[:32])
