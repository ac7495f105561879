"""A capture shows a list of seals row by row, and names what does not fit."""

from __future__ import annotations

from seal_scene import House

from plomba.dissect.objects import package
from plomba.dissect.values import Fields
from plomba.trust import sealing


def dissected(data: bytes) -> tuple[Fields, list[str]]:
    faults: list[str] = []
    signed = package(data, faults)["object"]
    assert isinstance(signed, dict)
    body = signed["body"]
    assert isinstance(body, dict)
    return body, faults


def test_rows(house: House) -> None:
    made = house.issue(9)
    house.renew()
    house.issue(1)
    house.void(made[3].name)
    body, faults = dissected(house.listed()[1])
    assert faults == []
    assert [issuer["number"] for issuer in body["issuers"]] == [1, 2]  # type: ignore[attr-defined]
    ranges = [{"issuer": 1, "batch": 1, "first": 1, "last": 9}, {"issuer": 2, "batch": 1, "first": 1, "last": 1}]
    assert (body["ranges"], body["voids"]) == (ranges, [{"issuer": 1, "batch": 1, "first": 4, "last": 4}])


def test_a_list_that_is_cut_anywhere(house: House) -> None:
    house.issue(1)
    whole = sealing.body(house.organisation, house.register)
    for end in range(len(whole)):
        assert dissected(house.signed(whole[:end], 1))[1] != [], end
    assert dissected(house.signed(whole, 1))[1] == []
