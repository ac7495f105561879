"""docs/codes.md and docs/orders.md say what the tables say."""

from __future__ import annotations

from pathlib import Path

from codes_table import HEAD, table

from plomba.desk.order_codes import PREFIXES

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_documented_table_is_the_table() -> None:
    text = (DOCS / "codes.md").read_text(encoding="utf-8")
    documented = text[text.index(HEAD) :].split("\n\n")[0] + "\n"
    assert documented == table(), table()


def test_every_prefix_of_an_order_file_is_documented() -> None:
    text = (DOCS / "orders.md").read_text(encoding="utf-8")
    for prefix, (_, example) in PREFIXES.items():
        assert f"| `{prefix}:` |" in text and f"`{prefix}:{example}`" in text
