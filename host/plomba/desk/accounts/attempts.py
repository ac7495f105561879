"""How often somebody may try to log in: after some failures of one name, or of one address, a growing wait.

A try is counted before the password is looked at, so that many at once get no more tries than one after the other. The
count is in the store: a restart forgets nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from plomba.desk.accounts.account import folded
from plomba.desk.store import Store
from plomba.errors import UsageError

FIRST_WAIT = 30
"""Seconds; each further failure doubles them."""
LONGEST_WAIT = 900
KEPT = 10_000
"""Names and addresses that are remembered."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """`tries` that cost no wait, and after how many seconds without one all are forgotten."""

    tries: int
    forgotten: int


OF_NAME = Allowance(tries=5, forgotten=86400)
OF_PEER = Allowance(tries=20, forgotten=3600)
"""More than one person may sit behind an address."""


@dataclass(frozen=True, slots=True)
class Counted:
    """`failures` of the address and when the `last` one was, before the try that was counted `at`; s since 1970."""

    failures: int
    last: int
    at: int


class Wait(UsageError):
    """Too many tries. `seconds`: until the next one."""

    def __init__(self, seconds: int) -> None:
        super().__init__("desk_login_wait", seconds=seconds)
        self.seconds = seconds


class Attempts:
    """In the store's thread; each method is a transaction of its own, which a refusal does not undo."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock

    def count(self, name: str, peer: str) -> Counted:
        """Counts a try. Raises Wait, and then counts nothing."""
        subjects = ((of_name(name), OF_NAME), (of_peer(peer), OF_PEER))
        now = self._clock()
        with self._store.transaction():
            held = [self._held(subject, allowance, now) for subject, allowance in subjects]
            seconds = max(
                last + wait(failures, allowance) - now
                for (_, allowance), (failures, last) in zip(subjects, held, strict=True)
            )
            if seconds <= 0:
                for (subject, _), (failures, _) in zip(subjects, held, strict=True):
                    self._put(subject, failures + 1, now)
                self._bound(now)
        if seconds > 0:
            raise Wait(seconds)
        return Counted(*held[1], now)

    def passed(self, name: str, peer: str, counted: Counted) -> None:
        """The try that was counted was a right one. Its name starts anew; its address has only this one taken back:
        else who has one account could try others for ever. When the last failure was is put back too, unless another
        try came between: right logins must not keep the failures of an address from being forgotten."""
        now = self._clock()
        with self._store.transaction():
            self._store.write("DELETE FROM login_attempts WHERE subject = :subject", {"subject": of_name(name)})
            failures, last = self._held(of_peer(peer), OF_PEER, now)
            if (failures, last) == (counted.failures + 1, counted.at):
                last = counted.last
            self._put(of_peer(peer), max(0, failures - 1), last)

    def _held(self, subject: bytes, allowance: Allowance, now: int) -> tuple[int, int]:
        rows = self._store.query(
            "SELECT failures, last FROM login_attempts WHERE subject = :subject", {"subject": subject}
        )
        if not rows or now - rows[0][1] >= allowance.forgotten:
            return 0, now
        failures, last = rows[0]
        if last > now:
            # The clock went back: the wait begins again, and is not as long as the clock was wrong.
            self._put(subject, failures, now)
        return failures, min(last, now)

    def _put(self, subject: bytes, failures: int, last: int) -> None:
        self._store.write(
            "INSERT INTO login_attempts (subject, failures, last) VALUES (:subject, :failures, :last)"
            " ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures, last = excluded.last",
            {"subject": subject, "failures": failures, "last": last},
        )

    def _bound(self, now: int) -> None:
        """Those with the fewest failures go first: names made up by the thousand push nobody's wait out."""
        surplus = self._store.count("FROM login_attempts") - KEPT
        if surplus > 0:
            self._store.write(
                "DELETE FROM login_attempts WHERE last <= :forgotten", {"forgotten": now - OF_NAME.forgotten}
            )
            self._store.write(
                "DELETE FROM login_attempts WHERE subject IN"
                " (SELECT subject FROM login_attempts ORDER BY failures, last LIMIT :surplus)",
                {"surplus": max(0, self._store.count("FROM login_attempts") - KEPT)},
            )


def wait(failures: int, allowance: Allowance) -> int:
    """Seconds after the last of so many failures."""
    over = failures - allowance.tries
    return 0 if over < 0 else min(FIRST_WAIT << min(over, 10), LONGEST_WAIT)


def of_name(name: str) -> bytes:
    return hashlib.sha256(b"name:" + folded(name).encode("utf-8", "surrogatepass")).digest()


def of_peer(peer: str) -> bytes:
    """One house has 2**64 addresses of IPv6: they count as one."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        network = peer
    else:
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        network = str(mapped or address) if mapped or address.version == 4 else address.packed[:8].hex()
    return hashlib.sha256(b"peer:" + network.encode("utf-8", "surrogatepass")).digest()
