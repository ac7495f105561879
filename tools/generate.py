"""Writes what is made from a source: `python3 tools gen` writes, `python3 tools gen --check` only compares.

protocol/plomba_wire/schema.py, vocabulary.toml  ->  codec.py, codec.pyi, vocabulary.py, the tables of SPEC.md
protocol/plomba_wire/vocabulary.toml             ->  firmware/terminal/screen/texts_*.py
firmware/terminal/keys/comb.py                   <-  the curve itself (generate_comb.py)
protocol/plomba_wire/schema.py                   ->  protocol/vectors/*.json (generate_vectors.py)
"""

from __future__ import annotations

import sys
from pathlib import Path

import generate_codec
import generate_comb
import generate_texts
import generate_vectors

ROOT = Path(__file__).resolve().parent.parent


def rendered() -> dict[Path, str]:
    """Every generated file and the text it must hold."""
    wire = ROOT / "protocol" / "plomba_wire"
    screen = ROOT / "firmware" / "terminal" / "screen"
    spec = ROOT / "protocol" / "SPEC.md"
    files = {
        wire / "codec.py": generate_codec.codec(),
        wire / "codec.pyi": generate_codec.stub(),
        wire / "vocabulary.py": generate_codec.vocabulary(),
        spec: generate_codec.specification(spec.read_text(encoding="utf-8")),
        ROOT / "firmware" / "terminal" / "keys" / "comb.py": generate_comb.render(),
    }
    for language, text in generate_texts.render().items():
        files[screen / f"texts_{language}.py"] = text
    for name, text in generate_vectors.render().items():
        files[ROOT / "protocol" / "vectors" / name] = text
    return files


def main() -> int:
    check = "--check" in sys.argv[1:]
    stale = [
        (path, text)
        for path, text in rendered().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        print(f"{'stale' if check else 'wrote'}: {path.relative_to(ROOT)}")
        if not check:
            path.write_text(text, encoding="utf-8", newline="\n")
    if check and stale:
        print("run: python3 tools gen")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
