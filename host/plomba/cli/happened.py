"""What went wrong and was handled, counted from verified records and not by the story that caused it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from plomba.trust.records import VerifiedRecord
from plomba_wire.vocabulary import Action, Flag, Tlv, Verdict

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
    (Action.SHIFT_OPEN, Verdict.BADGE_UNKNOWN): "badge_unknown",
    (Action.SHIFT_OPEN, Verdict.BADGE_REVOKED): "badge_revoked",
    (Action.RULES_ACK, Verdict.NEW_RULE): "rule_shown",
    (Action.RULES_ACK, Verdict.OK): "rule_read",
    (Action.REFUSED_SCAN, Verdict.NEW_RULE): "scan_before_rule_read",
    (Action.SEAL_CHECK, Verdict.SEAL_FORGED): "forged_seal",
}
_OWN_SEAL = b"PLS*"


def happened(journals: Iterable[Sequence[VerifiedRecord]], seals: frozenset[str]) -> dict[str, int]:
    """Name -> how often, over the journals of all terminals. `seals` are the seals of all orders on the list."""
    counts: Counter[str] = Counter()
    for journal in journals:
        stories: dict[bytes, list[VerifiedRecord]] = {}
        for record in journal:
            name = _BY_VERDICT.get((record.head.action, record.head.verdict))
            if name is not None:
                counts[name] += 1
            special = _by_content(record, seals)
            if special:
                counts[special] += 1
            stories.setdefault(record.parts.get(Tlv.ORDER, b""), []).append(record)
        stories.pop(b"", None)
        for story in stories.values():
            counts += _of_one_order(story)
    return dict(counts)


def _by_content(record: VerifiedRecord, seals: frozenset[str]) -> str:
    """The name of what a record's flags and parts tell, "" for nothing."""
    head, parts = record.head, record.parts
    what = (head.action, head.verdict)
    if what == (Action.SEAL_CHECK, Verdict.WRONG_SEAL):
        read = parts.get(Tlv.CODE, b"").decode(errors="replace")
        return "seal_of_another_order" if read in seals else "wrong_seal"
    if what == (Action.SEAL_CHECK, Verdict.SEAL_OK) and parts.get(Tlv.CODE, b"").startswith(_OWN_SEAL):
        return "own_seal"
    if what == (Action.SHIFT_OPEN, Verdict.OK) and head.flags & Flag.MANUAL:
        return "pin_typed"
    if what == (Action.REFUSE, Verdict.OK) and Tlv.REASON in parts:
        return "refusal_with_reason"
    return ""


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
    unread = (Action.UNREADABLE, Verdict.UNREADABLE)
    counts["unreadable_held"] = _then(steps, unread, (Action.HOLD, Verdict.OK))
    let_go = [record for record in story if (record.head.action, record.head.verdict) == (Action.HANDOUT, Verdict.OK)]
    if any(record.head.flags & Flag.OVERRIDE for record in let_go):
        counts["unreadable_decided"] = _then(steps, unread, (Action.OVERRIDE, Verdict.OK), (Action.HANDOUT, Verdict.OK))
    if any(record.head.flags & Flag.MANUAL and Tlv.PHOTO in record.parts for record in let_go):
        counts["unreadable_typed"] = _then(
            steps, unread, (Action.SEAL_CHECK, Verdict.SEAL_OK), (Action.HANDOUT, Verdict.OK)
        )
    return +counts


def _then(steps: Sequence[tuple[int, int]], *wanted: tuple[int, int]) -> int:
    """1 when the wanted steps occur in this order, others between them allowed."""
    rest = iter(steps)
    return int(all(any(step == want for step in rest) for want in wanted))
