"""What went wrong and was handled, counted from verified records and not by the story that caused it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from plomba.trust.records import VerifiedRecord
from plomba_wire.vocabulary import Action, Tlv, Verdict

_BY_VERDICT = {
    (Action.HANDOUT, Verdict.NEED_SEAL): "sealed_without_seal_refused",
    (Action.SEAL_CHECK, Verdict.SEAL_USED): "used_seal",
    (Action.SEAL_CHECK, Verdict.SEAL_READ): "seal_read_without_manifest",
    (Action.REFUSED_SCAN, Verdict.UNKNOWN): "unknown_order",
    (Action.RETRIEVE, Verdict.WRONG_STATE): "wrong_state",
    (Action.STORE, Verdict.REPEAT): "double_scan",
    (Action.REFUSE, Verdict.OK): "refusal",
    (Action.UNDO, Verdict.OK): "undo",
    (Action.NOTE, Verdict.LEFT_UNSCANNED): "left_unscanned",
    (Action.SHIFT_OPEN, Verdict.OK): "shift",
}


def happened(journals: Iterable[Sequence[VerifiedRecord]], seals: frozenset[str]) -> dict[str, int]:
    """Name -> how often, over the journals of all terminals. `seals` are the seals of all orders on the list."""
    counts: Counter[str] = Counter()
    for journal in journals:
        stories: dict[bytes, list[VerifiedRecord]] = {}
        for record in journal:
            name = _BY_VERDICT.get((record.head.action, record.head.verdict))
            if name is not None:
                counts[name] += 1
            if (record.head.action, record.head.verdict) == (Action.SEAL_CHECK, Verdict.WRONG_SEAL):
                read = record.parts.get(Tlv.CODE, b"").decode(errors="replace")
                counts["seal_of_another_order" if read in seals else "wrong_seal"] += 1
            stories.setdefault(record.parts.get(Tlv.ORDER, b""), []).append(record)
        stories.pop(b"", None)
        for story in stories.values():
            counts += _of_one_order(story)
    return dict(counts)


def _of_one_order(story: Sequence[VerifiedRecord]) -> Counter[str]:
    """What only shows in the order of steps."""
    steps = [(record.head.action, record.head.verdict) for record in story]
    counts: Counter[str] = Counter()
    counts["sealed_allowed_after_refusal"] = _then(
        steps, (Action.HANDOUT, Verdict.NEED_SEAL), (Action.SEAL_CHECK, Verdict.SEAL_OK), (Action.HANDOUT, Verdict.OK)
    )
    counts["seal_freed_and_used_again"] = _then(
        steps,
        (Action.SEAL_CHECK, Verdict.SEAL_OK),
        (Action.REFUSE, Verdict.OK),
        (Action.SEAL_CHECK, Verdict.SEAL_OK),
        (Action.HANDOUT, Verdict.OK),
    )
    counts["unreadable_held"] = _then(steps, (Action.UNREADABLE, Verdict.UNREADABLE), (Action.HOLD, Verdict.OK))
    return +counts


def _then(steps: Sequence[tuple[int, int]], *wanted: tuple[int, int]) -> int:
    """1 when the wanted steps occur in this order, others between them allowed."""
    rest = iter(steps)
    return int(all(any(step == want for step in rest) for want in wanted))
