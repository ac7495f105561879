"""What a pack changes is told in words, nothing of it is missed, and a rule does not change without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from pack_texts import FILE, FOLDER, SAMPLE, changed, check, errors, step

from plomba.desk import rules
from plomba.desk.rules.changes import Change, changes, unsaid
from plomba.desk.rules.pack import from_body
from plomba.desk.rules.wording import told
from plomba.desk.words import codes

BEFORE = rules.load().checked.pack
NEWS = '[news]\nru = "Новое"\nuk = "Нове"\nen = "New"\n\n[shift]'
GENERATIONS = [FOLDER / f"jewellery-{number}.toml" for number in (1, 2, 3)]


def found(text: str) -> list[Change]:
    checked = check(text)
    assert checked.readable
    return changes(BEFORE, checked.pack)


def deletions() -> Iterator[tuple[str, str]]:
    """(what, text): the sample without one line, without one name of a list, without one step."""
    lines = SAMPLE.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if not line.strip() or line.startswith("#"):
            continue
        yield f"line {number + 1}: {line.strip()}", "".join(lines[:number] + lines[number + 1 :])
        inside = re.search(r"\[(\".*\")\]", line)
        if inside is None:
            continue
        listed = inside[1].split(", ")
        for at, name in enumerate(listed):
            rest = ", ".join(listed[:at] + listed[at + 1 :])
            fresh = line.replace(inside[0], f"[{rest}]")
            yield (
                f"line {number + 1}: {name} of {line.strip()}",
                "".join([*lines[:number], fresh, *lines[number + 1 :]]),
            )
    for block in re.findall(r"\[\[step\]\]\n(?:[a-z]+ = .*\n)+", SAMPLE):
        yield f"step {block}", SAMPLE.replace(block, "", 1)


DELETIONS = list(deletions())


def refused(text: str) -> bool:
    try:
        return not check(text).sound
    except rules.PlombaError:
        return True


def test_every_deletion_is_refused_or_told_and_told_in_three_languages() -> None:
    """The whole sample, piece by piece: nothing can go from a pack unseen."""
    assert len(DELETIONS) > 250
    seen = {"refused": 0, "told": 0}
    for what, text in DELETIONS:
        if refused(text):
            seen["refused"] += 1
            continue
        seen["told"] += 1
        said = [change for change in found(text) if change.behaviour]
        assert said, what
        for change in said:
            sentences = {told(change, language) for language in ("ru", "uk", "en")}
            assert len(sentences) == 3 and all(sentences), what
        checked = check(text.replace("number = 1", "number = 2", 1))
        refusals = [mistake.error.code for mistake in unsaid(BEFORE, checked.pack, checked.text)]
        assert refusals == ["rules_silent", "rules_undated"], what
    assert seen["refused"] > 150 and seen["told"] > 60, seen


def test_a_need_or_a_gate_that_goes_is_refused_or_said_to_loosen() -> None:
    asked = {f'"{name}"' for name in ("reason", "supervisor", "photo", "result", "act", "item", "apply")}
    for what, text in DELETIONS:
        if not what.startswith("line"):
            continue
        loose = (
            "siren_s" in what
            or "needs = " in what
            or (" of " in what and what.split(": ")[1].split(" of ")[0] in asked)
        )
        if loose and not refused(text):
            assert any(change.loosens for change in found(text)), what


def test_a_comment_changes_nothing() -> None:
    bare = "".join(line for line in SAMPLE.splitlines(keepends=True) if not line.startswith("#"))
    assert rules.compile_pack(bare, FILE).body == rules.load().body
    assert found(bare) == []


def test_a_step_written_as_several_is_the_same_step() -> None:
    whole = step("MISSING")
    origins = re.search(r"from = \[(.*)\]", whole)
    assert origins is not None
    each = "\n".join(whole.replace(origins[1], name) for name in origins[1].split(", "))
    assert found(SAMPLE.replace(whole, each, 1)) == []
    in_each = "\n".join(whole.replace("[[step]]\n", f'[[step]]\nmode = "{mode}"\n') for mode in codes("mode"))
    assert found(SAMPLE.replace(whole, in_each, 1)) == []


@pytest.mark.parametrize(
    ("old", "new", "loosens", "text"),
    [
        (
            'seal = "always"',
            'seal = "inspects"\nwaiver = "w"',
            True,
            "sealed: the seal is scanned at hand-out: when the customer inspects (it was: always)",
        ),
        (
            'item = "never"\nsiren',
            'item = "always"\nsiren',
            False,
            "sealed: the tag is scanned at hand-out: always (it was: never)",
        ),
        ("siren_s = 60", "siren_s = 90", True, "sealed: siren after so many seconds (0 = never): 90 (it was: 60)"),
        ("siren_s = 60", "siren_s = 30", False, "sealed: siren after so many seconds (0 = never): 30 (it was: 60)"),
        (
            'typed = "photo"',
            'typed = "no"',
            False,
            "sealed: a code that cannot be read may be typed: no (it was: with a photo)",
        ),
        (
            'typed = "photo"',
            'typed = "yes"',
            True,
            "sealed: a code that cannot be read may be typed: yes (it was: with a photo)",
        ),
        ("badge = true", "badge = false", True, "no scan without a badge: no (it was: yes)"),
        (
            'close = "any"',
            'close = "docked"',
            False,
            "a shift is closed: when every record has its receipt (it was: at any time)",
        ),
        ("lock_min = 0", "lock_min = 10", False, "badge again after so many idle minutes (0 = never): 10 (it was: 0)"),
        ("tries = 3", "tries = 2", True, "tries that make a code unreadable: 2 (it was: 3)"),
        ("override = 2", "override = 3", True, "overrides for a person in a shift: 3 (it was: 2)"),
        ("typed = 5", "typed = 4", False, "typed codes for a person in a shift: 4 (it was: 5)"),
        ("stale_h = 48", "stale_h = 72", True, "hours that make a list old: 72 (it was: 48)"),
        ('stale = "warn"', 'stale = "refuse"', False, "an old list: refused (it was: a warning)"),
        (
            'clerk = ["ARRIVAL", ',
            'clerk = ["PICK", "ARRIVAL", ',
            True,
            "clerk: modes PICK, ARRIVAL, INTAKE, HAND-OUT, GIVE, BAG (it was: ARRIVAL, INTAKE, HAND-OUT, GIVE, BAG)",
        ),
        ('PACK = ["item", "apply"]', 'PACK = ["apply"]', True, "sealed, packed: no longer needs: the tag's scan"),
        ('PACK = ["item", "apply"]', 'PACK = ["item", "apply", "photo"]', False, "sealed, packed: now needs: a photo"),
        (
            'needs = ["reason", "photo"]',
            'needs = ["reason"]',
            True,
            "damage (every mode) from any state: no longer needs: a photo",
        ),
        (
            '"AT_STOP"]\nto = "IDENTIFIED"',
            '"AT_STOP", "FAILED"]\nto = "IDENTIFIED"',
            False,
            "taken from its cell (HAND-OUT) is now possible from «failed»: becomes «being handed out»",
        ),
        (
            'from = ["WITH_COURIER", "FAILED"]',
            'from = ["WITH_COURIER"]',
            False,
            "route started (ROUTE) is no longer possible from «failed»",
        ),
        (
            'part = "PART_DELIVERED"',
            'part = "DELIVERED"',
            False,
            "hand-out (HAND-OUT) from «being handed out», «verified»: "
            "if in part: «delivered» (it was: «delivered in part»)",
        ),
        (
            'from = ["HELD"]',
            'from = ["HELD", "READY"]',
            True,
            "released (every mode) is now possible from «ready»: becomes «ready»; needs: a reason, a supervisor",
        ),
        (
            'fail = "INSPECTED"\n',
            "",
            True,
            "return inspected (INSPECT) from «returned»: if not intact: — (it was: «inspected»)",
        ),
    ],
)
def test_a_change_in_words(old: str, new: str, loosens: bool, text: str) -> None:
    said = found(changed((old, new)))
    assert [(told(change, "en"), change.loosens) for change in said] == [(text, loosens)]


def test_a_need_that_moves_from_a_step_to_every_class_loosens_nothing() -> None:
    text = changed(
        ('needs = ["reason", "photo"]', 'needs = ["reason"]'),
        ('PACK = ["item"', 'DAMAGE = ["photo"]\nPACK = ["item"'),
        ("[class.sealed]", '[class.plain.needs]\nDAMAGE = ["photo"]\n\n[class.sealed]'),
    )
    assert not any(change.loosens for change in found(text))


def after(text: str, old: str = SAMPLE) -> list[str]:
    checked = check(text)
    return [mistake.error.code for mistake in unsaid(check(old).pack, checked.pack, checked.text)]


DATED = "number = 2\nvalid_from = 2026-12-01T09:00:00+03:00"


def test_a_changed_rule_needs_a_word_and_a_date() -> None:
    looser = ("siren_s = 60", "siren_s = 90")
    assert after(changed(looser)) == ["rules_number_back", "rules_silent", "rules_undated"]
    assert after(changed(looser, ("number = 1", "number = 2"))) == ["rules_silent", "rules_undated"]
    assert after(changed(looser, ("number = 1", DATED))) == ["rules_silent"]
    assert after(changed(looser, ("number = 1", DATED), ("[shift]", NEWS))) == []
    told_before = changed(("[shift]", NEWS))
    assert after(changed(looser, ("number = 1", DATED), ("[shift]", NEWS)), told_before) == ["rules_news_old"]


def test_words_alone_need_no_news() -> None:
    assert after(changed(("number = 1", "number = 2"), ('"Pick-up point: sample"', '"Pick-up point"'))) == []


def test_an_order_of_the_three_generations_goes_forward_only() -> None:
    packs = [rules.load(path) for path in GENERATIONS]
    for old, new in pairwise(packs):
        rules.follows(new, old.checked.pack)
        with pytest.raises(rules.RulesRefused):
            rules.follows(old, new.checked.pack)


def test_what_a_terminal_holds_can_be_compared_too() -> None:
    for path in GENERATIONS:
        pack = rules.load(path)
        assert changes(from_body(pack.body), pack.checked.pack) == []


def test_the_jewellery_rule_changes_as_its_history_says() -> None:
    packs = [rules.load(path).checked.pack for path in GENERATIONS]
    history = [[told(change, "en") for change in changes(old, new) if change.behaviour] for old, new in pairwise(packs)]
    assert history == [
        [
            "sealed: the seal is scanned at hand-out: when the customer inspects (it was: never)",
            "sealed: a code that cannot be read may be typed: with a photo (it was: yes)",
            "sealed, inspected: now needs: a photo",
        ],
        [
            "sealed: the seal is scanned at hand-out: always (it was: when the customer inspects)",
            "sealed: siren after so many seconds (0 = never): 60 (it was: 0)",
        ],
    ]
    assert not errors(GENERATIONS[0].read_text(encoding="utf-8"))
