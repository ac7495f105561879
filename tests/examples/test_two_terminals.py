"""A parcel goes through two terminals of one organisation: what one let go of, the other has to take in."""

from __future__ import annotations

from plomba.testing import Rig


def test_a_parcel_passes_from_one_terminal_to_another(plomba_rig: Rig) -> None:
    giver, taker = plomba_rig.point(place=7), plomba_rig.point(place=8, lists=False)
    giver.orders(giver.plain("PARCEL-1"))
    for step in ("PARCEL-1", "PLB*HANDOUT", "PARCEL-1"):
        giver.scan(step, symbology="QRCode" if step.startswith("PLB") else "")
    assert giver.press("ok") == "release"
    assert taker.scan("PARCEL-1") == "ok"
    story = [event for point in (giver, taker) for event in point.dock() if event.order == "PARCEL-1"]
    assert [(event.action, event.verdict) for event in story] == [
        ("STORE", "OK"),
        ("RETRIEVE", "CONFIRM"),
        ("HANDOUT", "OK"),
        ("STORE", "OK"),
    ]
    assert len({event.raw.head.terminal for event in story}) == 2
