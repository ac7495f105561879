"""The states of both ends, as data: what is taken in a state, and the state it leads to. SPEC.md prints these tables.

A row's words are the messages of codec.py, and what else happens: `start`, `close`, `silence`, `fault`. A message that
a state does not take is dropped and counted, whatever is in it.
"""

_REQUESTS = (
    "Ping",
    "Baud",
    "EnrolKey",
    "EnrolRoot",
    "Status",
    "Receipt",
    "ObjectOffer",
    "ObjectData",
    "ObjectCommit",
    "TimeProbe",
    "Diag",
    "Held",
    "Damaged",
)
_ANSWERS = (
    "Pong",
    "BaudOk",
    "EnrolKeyOk",
    "EnrolRootOk",
    "StatusOk",
    "ReceiptOk",
    "ObjectOfferOk",
    "ObjectCredit",
    "ObjectCommitOk",
    "TimeProbeOk",
    "DiagOk",
    "HeldOk",
    "DamagedOk",
    "Announce",
    "Error",
)


def _row(state: str, words: "tuple[str, ...]", **leads: str) -> "dict[str, str]":
    row = {}
    for word in words:
        row[word] = state
    row.update(leads)
    return row


TERMINAL = {
    "closed": _row("closed", (), Hello="open"),
    "open": _row("open", _REQUESTS, Hello="open", SyncOpen="syncing", Bye="closed", silence="closed"),
    "syncing": _row("syncing", _REQUESTS + ("SyncOpen", "Credit"), Hello="open", Bye="closed", silence="closed"),
}
"""A request that is refused leads nowhere. `silence` is 60 s without a frame.
A sync outlives its SyncEnd, which may get lost."""

DOCK = {
    "new": _row("new", (), start="calling"),
    "calling": _row("calling", (), HelloOk="open", Error="over", silence="over", close="over"),
    "open": _row("open", _ANSWERS, SyncOpenOk="syncing", silence="over", close="over"),
    "syncing": _row("syncing", _ANSWERS + ("Data",), SyncEnd="open", silence="over", close="over", fault="open"),
    "over": _row("over", ()),
}
"""`silence` is a request, a sync or an object without an answer to four tries, `fault` an Error about SyncOpen."""
