"""What verifiers and docks may have of an organisation, as files: public keys, certificates, revocations, rotations."""

from __future__ import annotations

from pathlib import Path

from plomba.errors import UsageError
from plomba.trust import issued, staged_files
from plomba.trust.organisation import REVOCATIONS, Organisation


def public_files(folder: Path) -> dict[str, bytes]:
    """The public files of an organisation's folder, by name. Raises OSError."""
    names = [
        "root.pub",
        "root.fingerprint",
        *(name for name in [REVOCATIONS] if staged_files.located(folder, name).exists()),
        *issued.names(folder),
        *staged_files.names(folder, "former", ".pub"),
        *staged_files.names(folder, "rotations", ".rotation"),
    ]
    return {name: staged_files.located(folder, name).read_bytes() for name in names}


def export(organisation: Organisation, out: Path) -> list[str]:
    """Writes the public files into `out`, all of them or none; names of what was written.

    `out` is new, empty, or an earlier export of the same organisation. Raises UsageError `export_taken`; StoreError.
    """
    issued.read_all(organisation.folder, organisation.roots)
    files = public_files(organisation.folder)
    files |= {f"{name}.cert": signer.certificate for name, signer in organisation.working.items()}
    if out.exists() and (not out.is_dir() or not _ours(out, organisation)):
        raise UsageError("export_taken", path=out)
    with staged_files.changing(out, make=True):
        staged_files.commit(out, files)
    return sorted(files)


def _ours(out: Path, organisation: Organisation) -> bool:
    """Whether `out` is empty or an earlier export: of one of the roots, and without a private key."""
    present = {path.name for path in out.iterdir()} - staged_files.TRACES
    if not present:
        return True
    pinned = staged_files.located(out, "root.pub")
    return pinned.is_file() and pinned.read_bytes() in organisation.roots and not list(out.glob("*.pem"))
