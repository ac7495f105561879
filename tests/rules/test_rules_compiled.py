"""A pack's TOML becomes exactly the JSON that a terminal reads; what cannot be read is refused with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_texts import FILE, FOLDER, SAMPLE, changed, check, errors, line_of

from plomba.desk import rules
from plomba.desk.rules.pack import body, from_body
from plomba.errors import PlombaError
from plomba_wire.vocabulary import Action, Hand, Mode, State, Verdict

GENERATIONS = [FOLDER / f"jewellery-{number}.toml" for number in (1, 2, 3)]


def test_the_sample_compiles_to_what_a_terminal_reads() -> None:
    pack = rules.load()
    assert pack.number == 1
    said = json.loads(pack.body)
    steps = said.pop("steps")
    assert said == {
        "number": 1,
        "from": 0,
        "title": {"ru": "Пункт выдачи: образец", "uk": "Пункт видачі: зразок", "en": "Pick-up point: sample"},
        "shift": {"badge": 1, "pin": 1, "close": 0, "lock_s": 0},
        "limits": {"tries": 3, "override": 2, "typed": 5, "stale_s": 172800, "stale": 1},
        "classes": {
            "0": {"seal": 0, "item": 0, "siren_s": 0, "typed": 1, "needs": {}},
            "1": {"seal": 2, "item": 0, "siren_s": 60, "typed": 2, "needs": {"18": [Verdict.NEED_ITEM, 0x67]}},
        },
        "hands": {
            str(Hand.CLERK): [Mode.ARRIVAL, Mode.STORE, Mode.HANDOUT, Mode.GIVE, Mode.BAG],
            str(Hand.COURIER): [Mode.TAKE, Mode.GIVE, Mode.ROUTE, Mode.STOP, Mode.HANDOUT],
            str(Hand.PACKER): [Mode.CHECK, Mode.PICK, Mode.PACK, Mode.STAGE, Mode.BAG],
        },
    }
    assert len(steps) == SAMPLE.count("[[step]]")
    counter = [State.IDENTIFIED, State.VERIFIED]
    assert [step for step in steps if step["a"] in (Action.DAMAGE, Action.HANDOUT, Action.INSPECT)] == [
        {"m": Mode.HANDOUT, "a": Action.INSPECT, "f": counter, "t": 0, "x": State.HELD, "p": 0, "n": [8]},
        {"m": Mode.HANDOUT, "a": Action.HANDOUT, "f": counter, "t": 15, "x": 0, "p": State.PART_DELIVERED, "n": []},
        {"m": 0, "a": Action.DAMAGE, "f": [], "t": 0, "x": 0, "p": 0, "n": [9, 10]},
    ]


def test_the_body_is_compact_sorted_utf8() -> None:
    data = rules.load().body
    assert data.startswith(b'{"classes":{"0":{"item":0,"needs":{},"seal":0,"siren_s":0,"typed":1},"1":{"item":0,')
    assert "образец".encode() in data
    assert b'"news"' not in data


def test_date_and_news_are_compiled() -> None:
    news = '[news]\nru = "Новое: сканируй бирку"\nuk = "Нове: скануй бирку"\nen = "New: scan the tag"\n[shift]'
    text = changed(("number = 1", "number = 2\nvalid_from = 2026-12-01T09:00:00+03:00"), ("[shift]", news))
    said = json.loads(rules.compile_pack(text, FILE).body)
    assert said["from"] == 1796104800
    assert said["news"] == {"ru": "Новое: сканируй бирку", "uk": "Нове: скануй бирку", "en": "New: scan the tag"}


@pytest.mark.parametrize("path", [None, *GENERATIONS], ids=["sample", "1", "2", "3"])
def test_packs_that_ship_are_sound_and_leave_no_doubt(path: Path | None) -> None:
    checked = rules.check(path)
    assert checked.mistakes == []
    data = rules.load(path).body
    assert len(data) <= rules.PACK_MAX
    assert body(from_body(data)) == data


@pytest.mark.parametrize(
    ("old", "new", "code", "at"),
    [
        ("number = 1", "number = 0", "rules_value", "number ="),
        ("number = 1", "number = true", "rules_value", "number ="),
        ("number = 1", "number = 65536", "rules_value", "number ="),
        ("number = 1", "number = 1.0", "rules_value", "number ="),
        ("number = 1", "number = 1\nvalid_from = 2026-12-01T09:00:00", "rules_value", "valid_from ="),
        ("number = 1", "number = 1\nvalid_from = 2026-12-01", "rules_value", "valid_from ="),
        ("number = 1", "number = 1\nvalid_from = 1960-12-01T09:00:00Z", "rules_value", "valid_from ="),
        ("number = 1", "number = 1\nvalid_from = 2200-12-01T09:00:00Z", "rules_value", "valid_from ="),
        ("number = 1", "number = 1\nauthor = 1", "rules_key", "author ="),
        ("badge = true", "badge = 1", "rules_value", "badge ="),
        ("badge = true\n", "", "rules_missing", "[shift]"),
        ('close = "any"', 'close = "open"', "rules_value", 'close = "open"'),
        ("lock_min = 0", "lock_min = 1441", "rules_value", "lock_min ="),
        ("tries = 3", "tries = 0", "rules_value", "tries ="),
        ("tries = 3\n", "", "rules_missing", "[limits]"),
        ('stale = "warn"', 'stale = "shout"', "rules_value", 'stale = "shout"'),
        ('uk = "Пункт', 'de = "Пункт', "rules_key", "de ="),
        ('ru = "Пункт выдачи: образец"', 'ru = "Пункт\\nвыдачи"', "rules_text_signs", 'ru = "Пункт'),
        ('ru = "Пункт выдачи: образец"', 'ru = "Пункт 取货"', "rules_text_signs", 'ru = "Пункт'),
        ('ru = "Пункт выдачи: образец"', 'ru = " "', "rules_value", 'ru = " "'),
        ('ru = "Пункт выдачи: образец"', f'ru = "{"ж" * 49}"', "rules_text_long", 'ru = "жж'),
        ("[class.plain]", "[class.heavy]", "rules_name", "[class.heavy]"),
        ("[class.plain]", "[class]\nplain = 1\n[class.x]", "rules_value", "plain = 1"),
        ('seal = "always"', 'seal = "wax"', "rules_value", 'seal = "wax"'),
        ("siren_s = 60", "siren_s = -1", "rules_value", "siren_s ="),
        ('PACK = ["item"', 'PAK = ["item"', "rules_name", "PAK ="),
        ('PACK = ["item", "apply"]', 'PACK = ["item", "item"]', "rules_twice", "PACK ="),
        ('PACK = ["item", "apply"]', 'PACK = "item"', "rules_value", "PACK ="),
        ("clerk = ", "clark = ", "rules_name", "clark ="),
        ('"ARRIVAL", "STORE"', '"ARRIVE", "STORE"', "rules_name", "clerk ="),
        ('mode = "CHECK"', 'mode = "SHOP"', "rules_name", 'mode = "SHOP"'),
        ('action = "STORE"', 'action = "STOW"', "rules_name", 'action = "STOW"'),
        ('action = "STORE"', 'action = "BOOT"', "rules_name", 'action = "BOOT"'),
        ('to = "READY"', 'to = "STEADY"', "rules_name", 'to = "STEADY"'),
        ('to = "READY"', 'to = "NONE"', "rules_name", 'to = "NONE"'),
        ('from = ["AT_POINT"]', 'from = "AT_POINT"', "rules_value", 'from = "AT_POINT"'),
        ('from = ["AT_POINT"]', "from = []", "rules_value", "from = []"),
        ('from = ["AT_POINT"]', 'from = [\n"AT_POINT",\n"AT_PINT",\n]', "rules_name", '"AT_PINT"'),
        ('needs = ["act"]', 'needs = ["acts"]', "rules_name", 'needs = ["acts"]'),
        ("number = 1", "number = ", "rules_syntax", "number ="),
        ("[hands]", "[hands", "rules_syntax", "[hands"),
        ("number = 1", 'base = "other"\nnumber = 1', "rules_value", "base ="),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(tmp_path: Path, old: str, new: str, code: str, at: str) -> None:
    text = changed((old, new))
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PlombaError) as caught:
        rules.load(path)
    assert caught.value.code == code
    place = f"{path}:{line_of(text, at)}"
    for language in ("ru", "uk", "en"):
        assert caught.value.what(language).startswith(place + ":")
        assert caught.value.next_step(language)


def test_every_mistake_is_told_at_once() -> None:
    found = errors(
        changed(("tries = 3", "tries = 0"), ('close = "any"', 'close = "x"'), ('mode = "CHECK"', 'mode = "X"'))
    )
    assert [mistake.error.code for mistake in found] == ["rules_value", "rules_value", "rules_name"]


def test_news_fill_four_lines_and_no_more() -> None:
    def news(text: str) -> list[str]:
        told = f'[news]\nru = "{text}"\nuk = "{text}"\nen = "{text}"\n\n[shift]'
        return [mistake.error.code for mistake in errors(changed(("[shift]", told)))]

    assert news(" ".join(["жжжжж жжжжж жжжжж жжж"] * 3 + ["жжжжж жжжжж жжжжж"])) == []
    assert news("ж" * 84) == []
    assert news("ж" * 85) == ["rules_text_long"] * 3
    # 83 signs, but each line holds only one of these words.
    assert news(" ".join(["ж" * 16] * 5)[:83]) == ["rules_text_lines"] * 3


def test_a_pack_that_a_terminal_cannot_take_is_refused() -> None:
    states = '"PICKED", "PACKED", "STAGED", "READY", "RETURNED", "AT_POINT", "NEW", "ACCEPTED", "EXPIRED"'
    modes = (
        "CHECK",
        "PICK",
        "PACK",
        "STAGE",
        "BAG",
        "GIVE",
        "TAKE",
        "ARRIVAL",
        "ROUTE",
        "STOP",
        "STORE",
        "BACK",
        "LOOK",
    )
    actions = ("HOLD", "REFUSE", "DAMAGE", "RETURN_OPEN", "MISSING", "MISMATCH")
    many = "".join(
        f'\n[[step]]\nmode = "{mode}"\naction = "{action}"\nfrom = [{states}]\n'
        'needs = ["reason", "photo", "supervisor"]\n'
        for mode in modes
        for action in actions
    )
    assert [mistake.error.code for mistake in errors(SAMPLE + many)] == ["rules_long"]


@given(st.permutations(["title", "shift", "limits", "hands"]), st.booleans())
def test_the_order_of_tables_and_line_ends_change_no_byte(order: list[str], crlf: bool) -> None:
    parts = {}
    rest = SAMPLE
    for name in order:
        begin = rest.index(f"\n[{name}]\n") + 1
        end = rest.index("\n\n", begin) + 1
        parts[name], rest = rest[begin:end], rest[:begin] + rest[end:]
    head, tail = rest.split("[class.plain]", 1)
    text = head + "\n".join(parts[name] for name in order) + "\n[class.plain]" + tail
    if crlf:
        text = text.replace("\n", "\r\n")
    assert rules.compile_pack(text, FILE).body == rules.load().body


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b"number = 1\nru = '\xd0'\n",
        b"a" * 70000,
        b"a = " + b"[" * 3000,
        b"a = " + b"{b = " * 3000,
        b"number = " + b"9" * 5000,
        b"\x00",
        b"number = 1\x1b[2J",
        b"[" * 500,
        b'"\\ud800" = 1',
        b"a.b = 1\n[a]\nb = 2",
        b"number = 1\nnumber = 2",
        b"valid_from = 2026-02-31T09:00:00Z",
    ],
)
def test_hostile_files_are_refused_and_told_printably(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(content)
    with pytest.raises(PlombaError) as caught:
        rules.load(path)
    assert caught.value.code == "rules_syntax"
    assert caught.value.what("en").isprintable()


def test_values_of_every_kind_in_every_place_are_refused_in_words() -> None:
    """Nothing but a PlombaError ever comes out, whatever stands where a value should."""
    values = (
        "1",
        "-1",
        "1.5",
        "nan",
        "true",
        '"x"',
        '"\\u001b[2J"',
        "[]",
        "[[1]]",
        '["x", 1]',
        "{}",
        "{a = 1}",
        "2026-01-01",
    )
    for number, line in enumerate(SAMPLE.splitlines()):
        if "=" not in line or line.startswith("#"):
            continue
        for value in values:
            lines = SAMPLE.splitlines()
            lines[number] = f"{line.split('=')[0]}= {value}"
            for mistake in check("\n".join(lines) + "\n").mistakes:
                assert mistake.place.line <= len(lines)
                assert all(mistake.error.what(each).isprintable() for each in ("ru", "uk", "en"))


@pytest.mark.parametrize("value", ["0x" + "f" * 5000, f"[0x{'f' * 5000}]", "{a = 0x" + "f" * 5000 + "}"])
def test_a_number_of_thousands_of_digits_is_refused_like_any_other(value: str) -> None:
    text = changed(("number = 1", f"number = {value}"))
    assert [mistake.error.code for mistake in errors(text)] == ["rules_value"]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(PlombaError) as caught:
        rules.load(tmp_path / "none.toml")
    assert caught.value.code == "rules_unreadable"


def test_a_bom_and_a_line_over_the_middle_of_a_text_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SAMPLE.encode())
    assert rules.load(path).body == rules.load().body


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"number":1}', b'{"number":1,"gates":{}}', b"\xff"])
def test_a_body_of_another_form_is_no_pack(data: bytes) -> None:
    with pytest.raises(ValueError, match="no rule pack"):
        from_body(data)
