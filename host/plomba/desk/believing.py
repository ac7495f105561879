"""Which terminals the desk believes, by the list of revocations that the organisation's folder holds by now."""

from __future__ import annotations

from plomba.errors import StoreError
from plomba.trust.objects import Trust
from plomba.trust.organisation import REVOCATIONS, Organisation
from plomba.trust.records import Standing
from plomba.trust.staged_files import content


class Believing:
    """A key can be revoked while the desk runs: the folder is looked into again for each batch."""

    def __init__(self, organisation: Organisation) -> None:
        self._folder = organisation.folder
        self._trust = organisation.trust
        self._list = organisation.revocations

    def trust(self) -> Trust:
        """What the organisation vouches for. A list that is gone counts on: a key stays on it for ever.

        Raises StoreError for a folder that cannot be read, see `Organisation.load`."""
        try:
            found = content(self._folder, REVOCATIONS)
        except FileNotFoundError:
            return self._trust
        except OSError as error:
            raise StoreError("org_missing", path=self._folder) from error
        if found != self._list:
            self._trust, self._list = Organisation.load(self._folder).trust, found
        return self._trust

    def standing(self, terminal: bytes) -> Standing:
        """As of the list that was read last. The dates of its certificate are looked at when it is enrolled."""
        revocations = self._trust.revocations
        row = None if revocations is None else revocations.rows.get(terminal)
        return Standing(0, 0, None if row is None else row[0])
