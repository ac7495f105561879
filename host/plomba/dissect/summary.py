"""The end of a dump: how much there was of what, and what it was worth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from plomba.dissect.chains import Chains
from plomba.dissect.entry import BAD, DAMAGED, DIRECTIONS, OK, UNCHECKED, WHOLE, Entry
from plomba.dissect.layouts import message_name
from plomba.dissect.talk import Talk
from plomba.dissect.values import Code


@dataclass(slots=True)
class _Way:
    bytes: int = 0
    frames: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)


class Summary:
    """Counts entries as they come."""

    def __init__(self) -> None:
        self.entries = 0
        self.bytes = 0
        self.notes: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.signatures: Counter[str] = Counter({OK: 0, BAD: 0, UNCHECKED: 0})
        self._kinds: Counter[str] = Counter()
        self._kind_sizes: Counter[str] = Counter()
        self._ways = {name: _Way() for name in DIRECTIONS.values()}
        self._first_us: int | None = None
        self._last_us = 0

    def add(self, entry: Entry) -> None:
        self.entries += 1
        self.bytes += entry.size
        self._kinds[entry.kind] += 1
        self._kind_sizes[entry.kind] += entry.size
        self.notes.update({note.code for note in entry.notes})
        self.signatures.update(signature.verdict for signature in entry.signatures if not signature.waits)
        code = entry.fields.get("code")
        if entry.kind in WHOLE and entry.name == "Error" and isinstance(code, Code):
            self.errors[str(code.name)] += 1
        if self._first_us is None:
            self._first_us = entry.us
        self._last_us = max(self._last_us, entry.us)
        if entry.direction in DIRECTIONS:
            way = self._ways[DIRECTIONS[entry.direction]]
            way.bytes += entry.size
            if entry.kind in WHOLE:
                way.frames[entry.name] += 1
                way.sizes[entry.name] += entry.size

    def as_json(self, talk: Talk, chains: Chains, chunks: int) -> dict[str, object]:
        """The keys are described in docs/captures.md and stay."""
        line = sum(way.bytes for way in self._ways.values())
        records = sum(known.size for known in chains.of.values())
        return {
            "entries": self.entries,
            "bytes": self.bytes,
            "chunks": chunks,
            "span_us": self._last_us - (self._first_us or 0),
            "directions": {name: _way(way) for name, way in self._ways.items()},
            "kinds": {kind: {"entries": n, "bytes": self._kind_sizes[kind]} for kind, n in sorted(self._kinds.items())},
            "damaged": sum(self._kinds[kind] for kind in DAMAGED),
            "stale": self.notes["stale"] + self.notes["no_session"],
            "repeated": self.notes["repeated"],
            "notes": dict(sorted(self.notes.items())),
            "errors": dict(sorted(self.errors.items())),
            "signatures": {**self.signatures, UNCHECKED: self.signatures[UNCHECKED] + chains.waiting},
            "records": [
                {
                    "terminal": terminal.hex(),
                    "epoch": epoch,
                    "first": min(known.bodies),
                    "last": max(known.bodies),
                    "count": len(known.bodies),
                    "bytes": known.size,
                    "retransmitted": known.again,
                }
                for (terminal, epoch), known in chains.of.items()
            ],
            "record_bytes": records,
            "line_bytes": line,
            "efficiency": round(records / line, 4) if line else None,
            "sessions": [
                {
                    "session": session.session,
                    "terminal": session.terminal.hex() if session.terminal is not None else None,
                    "began_us": session.began_us,
                    "ended_us": session.ended_us,
                    "ended": session.ended or None,
                }
                for session in talk.sessions
            ],
            "unanswered": [
                {"number": request.number, "type": message_name(request.type)} for request in talk.unanswered()
            ],
        }


def _way(way: _Way) -> dict[str, object]:
    types = {name: {"frames": count, "bytes": way.sizes[name]} for name, count in sorted(way.frames.items())}
    return {"bytes": way.bytes, "frames": sum(way.frames.values()), "types": types}
