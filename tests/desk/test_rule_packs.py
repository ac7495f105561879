from __future__ import annotations

import json
from pathlib import Path

import pytest

from plomba.desk import rules
from plomba.errors import PlombaError

SAMPLE = Path(rules.__file__).with_name("rules").joinpath("sample.toml").read_text(encoding="utf-8")


def test_the_sample_compiles_to_what_a_terminal_reads() -> None:
    pack = rules.load()
    assert pack.number == 1
    assert json.loads(pack.body) == {
        "number": 1,
        "shift": 1,
        "title": {"ru": "Пункт выдачи: образец", "uk": "Пункт видачі: зразок", "en": "Pick-up point: sample"},
        "gates": {"0": {"seal": 0}, "1": {"seal": 1, "siren_s": 60}},
        "steps": [
            {"mode": "store", "action": 36, "from": [11], "to": 12},
            {"mode": "handout", "action": 37, "from": [12, 17], "to": 13},
            {"mode": "handout", "action": 49, "from": [13, 14], "to": 14},
            {"mode": "handout", "action": 51, "from": [13, 14], "to": 15},
            {"mode": "handout", "action": 52, "from": [13, 14], "to": 17},
            {"mode": "handout", "action": 85, "from": [13, 14], "to": 19},
        ],
    }


def test_the_body_is_compact_sorted_utf8() -> None:
    body = rules.load().body
    assert body.startswith(b'{"gates":{"0":{"seal":0},"1":{"seal":1,"siren_s":60}},"number":1,"shift":1,"steps":[{')
    assert "образец".encode() in body


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("number = 1", "number = 0", "number"),
        ("number = 1", "number = true", "number"),
        ("number = 1", "number = 65536", "number"),
        ("shift = true", "shift = 1", "shift"),
        ("uk = ", "de = ", "title"),
        ('ru = "Пункт выдачи: образец"', 'ru = "Пункт\\nвыдачи"', "title"),
        ("[class.plain]", "[class.heavy]", "class.heavy"),
        ('gate = "seal"', 'gate = "wax"', "class.sealed.gate"),
        ("siren_s = 60", "siren_s = -1", "class.sealed.siren_s"),
        ('mode = "store"', 'mode = "shop"', "step 1.mode"),
        ('"STORE"', '"STOW"', "step 1: action STOW"),
        ('to = "READY"', 'to = "STEADY"', "step 1: state STEADY"),
        ('from = ["AT_POINT"]', 'from = "AT_POINT"', "step 1.from"),
        ('action = "RETRIEVE"', 'action = "HANDOUT"', "step: mode and action twice"),
        ('en = "Pick-up point: sample"', f'en = "{"x" * 7800}"', "> 7800"),
        ("number = 1", "number = ", "line 3"),
    ],
)
def test_a_broken_pack_is_refused_with_its_place(tmp_path: Path, old: str, new: str, where: str) -> None:
    assert old in SAMPLE
    path = tmp_path / "rules.toml"
    path.write_text(SAMPLE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PlombaError) as caught:
        rules.load(path)
    assert caught.value.code == "desk_data_invalid"
    assert where in caught.value.what("en")
