"""A pack that contradicts itself or drops a required step is refused with the line; what is doubtful is a warning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_texts import SAMPLE, changed, check, errors, line_of, step, warnings

from plomba.desk.rules.required import required
from plomba.errors import codes

WAIVED = 'seal = "never"\nsiren_s = 0\nwaiver = "the shop said so"'


def without(action: str) -> str:
    """The sample without a step."""
    return SAMPLE.replace(step(action), "", 1)


def within(action: str, old: str, new: str) -> str:
    """The sample with a change in one step."""
    text = step(action)
    assert old in text, (action, old)
    return SAMPLE.replace(text, text.replace(old, new, 1), 1)


def codes_of(text: str) -> set[str]:
    return {mistake.error.code for mistake in errors(text)}


# --- what is required ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", required(), ids=lambda wanted: wanted.error)
def test_each_required_thing_has_its_error(wanted: object) -> None:
    assert wanted.error in codes()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ("RETRIEVE", "rules_lacks_retrieve"),
        ("SEAL_CHECK", "rules_lacks_seal_check"),
        ("INSPECT", "rules_lacks_inspect"),
        ("HOLD", "rules_lacks_hold"),
        ("RELEASE", "rules_lacks_release"),
        ("OVERRIDE", "rules_lacks_override"),
        ("REFUSE", "rules_lacks_refuse"),
        ("HANDOUT", "rules_lacks_handout"),
    ],
)
def test_a_required_step_is_not_dropped(action: str, code: str) -> None:
    assert code in codes_of(without(action))
    # One that is there in another mode only does not count where it is needed.
    old = 'mode = "HANDOUT"\n' if 'mode = "HANDOUT"' in step(action) else ""
    if action != "RETRIEVE":
        text = step(action)
        elsewhere = text.replace(old, "").replace("[[step]]\n", '[[step]]\nmode = "BAG"\n')
        assert code in codes_of(SAMPLE.replace(text, elsewhere, 1))


@pytest.mark.parametrize(
    ("action", "old", "new", "code", "at"),
    [
        ("INSPECT", 'needs = ["result"]\n', "", "rules_lacks_inspect", "[[step]]"),
        ("INSPECT", 'fail = "HELD"\n', "", "rules_lacks_inspect", "[[step]]"),
        ("INSPECT", 'fail = "HELD"', 'fail = "VERIFIED"', "rules_lacks_inspect", 'fail = "VERIFIED"'),
        ("INSPECT", '"IDENTIFIED", ', "", "rules_lacks_inspect", 'from = ["VERIFIED"]'),
        ("OVERRIDE", '"reason", ', "", "rules_lacks_override", 'needs = ["photo", "supervisor"]'),
        ("OVERRIDE", ', "supervisor"', "", "rules_lacks_override", 'needs = ["reason", "photo"]'),
        ("OVERRIDE", '"IDENTIFIED", ', "", "rules_lacks_override", 'from = ["VERIFIED"]'),
        ("OVERRIDE", 'to = "VERIFIED"', 'to = "HELD"', "rules_lacks_override", 'to = "HELD"'),
        ("SEAL_CHECK", '"IDENTIFIED", ', "", "rules_lacks_seal_check", 'from = ["VERIFIED"]'),
        ("SEAL_CHECK", 'to = "VERIFIED"', 'to = "READY"', "rules_lacks_seal_check", 'to = "READY"'),
        ("RETRIEVE", 'to = "IDENTIFIED"', 'to = "AT_POINT"', "rules_lacks_retrieve", 'to = "AT_POINT"'),
        ("HOLD", 'to = "HELD"', 'to = "VERIFIED"', "rules_lacks_hold", 'to = "VERIFIED"'),
        ("HOLD", 'to = "HELD"\n', "", "rules_lacks_hold", "[[step]]"),
        ("HOLD", '"IDENTIFIED", ', "", "rules_lacks_hold", "from ="),
        ("REFUSE", 'to = "REFUSED"\n', "", "rules_lacks_refuse", "[[step]]"),
        ("RELEASE", ', "supervisor"', "", "rules_lacks_release", 'needs = ["reason"]'),
        ("RELEASE", '"reason", ', "", "rules_lacks_release", 'needs = ["supervisor"]'),
        ("SEAL_BREAK", ', "supervisor"', "", "rules_lacks_witness", 'needs = ["reason"]'),
        ("HANDOVER_IN", 'needs = ["act"]\n', "", "rules_lacks_act", "[[step]]"),
        ("RETRIEVE", '"REFUSED"', '"REFUSED", "HELD"', "rules_lacks_hold", 'from = ["READY", "REFUSED", "HELD"'),
    ],
)
def test_a_required_step_is_not_made_less(action: str, old: str, new: str, code: str, at: str) -> None:
    text = within(action, old, new)
    found = [mistake for mistake in errors(text) if mistake.error.code == code]
    assert found
    begin = text.index(step(action).replace(old, new, 1))
    line = text.count("\n", 0, text.index(at, begin)) + 1
    assert line in [mistake.place.line for mistake in found]


def test_a_second_step_of_an_action_needs_the_same() -> None:
    loose = '\n[[step]]\nmode = "STORE"\naction = "OVERRIDE"\nfrom = ["READY"]\n'
    assert codes_of(SAMPLE + loose) == {"rules_lacks_override"}
    loose = '\n[[step]]\nmode = "STORE"\naction = "RELEASE"\nfrom = ["HELD"]\nto = "READY"\n'
    assert codes_of(SAMPLE + loose) == {"rules_lacks_release"}


def test_what_every_class_adds_need_not_stand_in_the_step() -> None:
    text = within("HANDOVER_IN", 'needs = ["act"]\n', "")
    added = '\nHANDOVER_IN = ["act"]\n'
    sealed = text.replace('PACK = ["item", "apply"]\n', f'PACK = ["item", "apply"]{added}', 1)
    assert codes_of(sealed) == {"rules_lacks_act"}, "plain goods are still without"
    assert codes_of(sealed.replace("[class.sealed]", f"[class.plain.needs]{added}\n[class.sealed]", 1)) == set()


# --- contradictions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        (changed(('seal = "always"', 'seal = "never"')), "rules_waiver", 'seal = "never"\nitem = "never"\nsiren'),
        (changed(('seal = "always"', 'seal = "inspects"')), "rules_waiver", 'seal = "inspects"'),
        (changed(('seal = "always"\n', "")), "rules_missing", "[class.sealed]"),
        (without("SEAL_CHECK"), "rules_gate_shut", 'seal = "always"'),
        (without("INSPECT").replace('item = "never"', 'item = "inspects"'), "rules_gate_shut", 'item = "inspects"'),
        (
            SAMPLE + '\n[[step]]\nmode = "PICK"\naction = "PICK"\nfrom = ["NEW", "ACCEPTED"]\n',
            "rules_overlap",
            'from = ["NEW", "ACCEPTED"]',
        ),
        (
            SAMPLE + '\n[[step]]\naction = "DAMAGE"\nfrom = ["READY"]\nneeds = ["reason"]\n',
            "rules_overlap",
            'from = ["READY"]\nneeds',
        ),
        (
            within("STORE", 'to = "READY"', 'to = "AT_POINT"'),
            "rules_stays",
            'to = "AT_POINT"\n\n[[step]]\nmode = "HANDOUT"',
        ),
        (within("STORE", 'mode = "STORE"', 'mode = "PICK"'), "rules_mode_action", 'mode = "PICK"\naction = "STORE"'),
        (within("RELEASE", '["HELD"]', '["HELD", "DELIVERED"]'), "rules_end", 'from = ["HELD", "DELIVERED"]'),
        (
            within("HOLD", '"RETURNED"', '"RETURNED", "CANCELLED"'),
            "rules_end",
            'from = ["PICKED", "PACKED", "STAGED", "WITH_COURIER", "ON_ROUTE", "AT_STOP"',
        ),
        (
            within("DAMAGE", 'action = "DAMAGE"', 'action = "DAMAGE"\nto = "HELD"'),
            "rules_end",
            '[[step]]\naction = "DAMAGE"',
        ),
        (within("MISSING", 'to = "HELD"', 'to = "DELIVERED"'), "rules_gives", 'to = "DELIVERED"\nneeds'),
        (within("STORE", 'to = "READY"', 'to = "PART_DELIVERED"'), "rules_gives", 'to = "PART_DELIVERED"'),
        (within("INSPECT", 'fail = "HELD"', 'fail = "DELIVERED"'), "rules_gives", 'fail = "DELIVERED"'),
        (
            within("STORE", 'to = "READY"', 'to = "READY"\nfail = "HELD"'),
            "rules_fail",
            'fail = "HELD"\n\n[[step]]\nmode = "HANDOUT"',
        ),
        (within("RETURN_INSPECT", 'needs = ["result"]\n', ""), "rules_fail", 'fail = "INSPECTED"'),
        (within("STORE", 'to = "READY"', 'to = "READY"\npart = "HELD"'), "rules_part", 'part = "HELD"'),
        (
            within("HANDOUT", '"VERIFIED"]', '"VERIFIED", "READY"]'),
            "rules_counter",
            'from = ["IDENTIFIED", "VERIFIED", "READY"]',
        ),
        (
            within("HANDOUT", 'from = ["IDENTIFIED", "VERIFIED"]\n', ""),
            "rules_counter",
            '[[step]]\nmode = "HANDOUT"\naction = "HANDOUT"',
        ),
        (
            within("MISSING", 'to = "HELD"', 'to = "NEED_DATA"'),
            "rules_dead_end",
            'to = "NEED_DATA"',
        ),
        (without("RETURN_OPEN"), "rules_dead_end", 'part = "PART_DELIVERED"'),
        (without("ROUTE_START"), "rules_mode_empty", '"ROUTE"'),
        (without("STORE"), "rules_mode_empty", '"STORE"'),
        (without("RETURN_IN") + '\n[[step]]\nmode = "BACK"\naction = "DAMAGE"\n', "rules_mode_empty", 'mode = "BACK"'),
        (changed(("stale_h = 48", "stale_h = 0")), "rules_stale", "stale_h = 0"),
    ],
)
def test_a_contradiction_is_refused_with_its_line(text: str, code: str, at: str) -> None:
    found = [mistake for mistake in errors(text) if mistake.error.code == code]
    assert found, [mistake.error.code for mistake in check(text).mistakes]
    assert line_of(text, at) in [mistake.place.line for mistake in found]
    for mistake in found:
        for language in ("ru", "uk", "en"):
            assert "?" not in mistake.error.what(language)
            assert mistake.error.next_step(language)


def test_a_hand_may_not_be_given_a_mode_without_a_step() -> None:
    assert "rules_mode_empty" in codes_of(without("RETURN_IN").replace("clerk = [", 'clerk = ["BACK", '))


def test_a_waived_gate_is_taken() -> None:
    assert codes_of(changed(('seal = "always"\nitem = "never"\nsiren_s = 60', f'{WAIVED}\nitem = "never"'))) == set()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('seal = "always"', 'seal = "always"\nwaiver = "no reason"', "rules_waiver_idle"),
        ('typed = "yes"', 'typed = "yes"\nsiren_s = 30', "rules_siren_idle"),
        ("siren_s = 60", "siren_s = 0", "rules_siren_none"),
        ("typed = 5", "typed = 0", "rules_typed_none"),
        ("override = 2", "override = 0", "rules_override_none"),
        ('"item", "apply"', '"item"', "rules_seal_unbound"),
        ("badge = true", "badge = false", "rules_pin_idle"),
        ('[class.plain]\nseal = "never"\nitem = "never"\ntyped = "yes"\n', "", "rules_class_unlisted"),
        ("PACK = [", 'SEAL_BREAK = ["photo"]\nPACK = [', ""),
        ('part = "PART_DELIVERED"\n', "", "rules_nowhere"),
    ],
)
def test_a_doubt_is_a_warning_and_no_refusal(old: str, new: str, code: str) -> None:
    text = changed((old, new))
    assert {mistake.error.code for mistake in warnings(text)} == ({code} if code else set())
    assert errors(text) == []
    for mistake in warnings(text):
        assert all("?" not in mistake.error.what(language) for language in ("ru", "uk", "en"))


def test_cards_and_modes_without_a_step_are_told() -> None:
    assert {mistake.error.code for mistake in warnings(without("DAMAGE"))} == {"rules_card_unused"}
    text = without("RETURN_INSPECT")
    assert {mistake.error.code for mistake in warnings(text)} == {"rules_mode_unused"}
    text = without("MISSING").replace('PACK = ["item"', 'MISSING = ["photo"]\nPACK = ["item"')
    assert {mistake.error.code for mistake in warnings(text)} == {"rules_card_unused", "rules_needs_idle"}


def test_news_that_nobody_can_acknowledge_are_doubtful() -> None:
    text = changed(
        ("badge = true\npin = true", "badge = false\npin = false"),
        ("[shift]", '[news]\nru = "а"\nuk = "а"\nen = "a"\n\n[shift]'),
    )
    assert {mistake.error.code for mistake in warnings(text)} == {"rules_news_nobody"}


@given(st.data())
def test_any_mix_of_changes_is_judged_without_a_fault(data: st.DataObject) -> None:
    """Steps are dropped, doubled, and their lines exchanged at random: each mistake has a line."""
    head, *steps = SAMPLE.split("[[step]]\n")
    chosen = data.draw(st.lists(st.sampled_from(steps), max_size=30))
    states = sorted({word for text in steps for word in text.split('"') if word.isupper()})
    texts = []
    for text in chosen:
        if data.draw(st.booleans()):
            old, new = data.draw(st.tuples(st.sampled_from(states), st.sampled_from(states)))
            text = text.replace(f'"{old}"', f'"{new}"')
        texts.append("[[step]]\n" + text)
    whole = head + "".join(texts)
    for mistake in check(whole).mistakes:
        assert 1 <= mistake.place.line <= whole.count("\n") + 1
        assert mistake.error.what("ru") and mistake.error.what("uk") and mistake.error.what("en")
