"""A blank chip becomes the terminal's key whenever the power goes meanwhile; a terminal never becomes another one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from chip_bench import DIGEST, Desk, check, files

from plomba.sim import atecc608_packets as packets
from plomba.sim.atecc608 import Atecc608, Fault, PowerCut
from terminal.keys import signer as signers
from terminal.keys.signer import ChipFailure

TEARS = 3


def finished(desk: Desk) -> bool:
    """Two starts after power came back; False when it went again."""
    try:
        signer = desk.restart()
        again = desk.restart()
    except PowerCut:
        return False
    check(signer.public, DIGEST, signer.sign(DIGEST))
    zone = desk.chip.memory.config
    assert zone[86:89] == b"\x00\x00\xfe"
    assert files.load(signers.KEY_IN_CHIP) == signer.public
    assert again.public == signer.public, "it stays who it is"
    return True


@pytest.fixture
def settled(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.signer()
    return desk


def test_a_cut_at_every_write_to_the_chip(tmp_path: Path) -> None:
    whole = Desk(tmp_path)
    whole.signer()
    writes = whole.chip.memory.writes
    assert writes > 20
    for after in range(writes):
        for torn in range(TEARS):
            folder = tmp_path / f"{after}-{torn}"
            folder.mkdir()
            desk = Desk(folder)
            desk.chip.memory.cut(after, torn)
            with pytest.raises(PowerCut):
                desk.signer()
            assert finished(desk)
            assert desk.chip.memory.config == whole.chip.memory.config


@pytest.mark.parametrize("torn", [1, 2])
def test_a_key_that_a_cut_left_behind_is_never_used(tmp_path: Path, torn: int) -> None:
    desk = Desk(tmp_path)
    desk.chip.memory.cut(writes_before_the_key(tmp_path), torn)
    with pytest.raises(PowerCut):
        desk.signer()
    left = desk.chip.memory.keys[0]
    assert finished(desk)
    assert desk.chip.memory.keys[0] != left


def writes_before_the_key(folder: Path) -> int:
    spare = folder / "spare"
    spare.mkdir()
    desk = Desk(spare)
    at = []
    put = desk.chip.memory.put_key
    desk.chip.memory.put_key = lambda *key: at.append(desk.chip.memory.writes) or put(*key)  # type: ignore[method-assign]
    desk.signer()
    files._FOLDER = f"{folder}/"  # type: ignore[attr-defined]
    return at[0]


@pytest.mark.parametrize("torn", range(TEARS))
def test_a_second_cut_while_the_first_is_made_good(tmp_path: Path, torn: int) -> None:
    """From the last writes of the configuration on, where the locks and the key are."""
    whole = Desk(tmp_path)
    whole.signer()
    writes = whole.chip.memory.writes
    for first in range(writes - 7, writes):
        for second in range(7):
            folder = tmp_path / f"{first}-{second}"
            folder.mkdir()
            desk = Desk(folder)
            desk.chip.memory.cut(first, torn)
            with pytest.raises(PowerCut):
                desk.signer()
            desk.chip.memory.cut(second, (torn + 1) % TEARS)
            while not finished(desk):
                pass


@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("kept", [False, True])
def test_a_cut_at_every_write_to_flash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kept: bool
) -> None:
    desk = Desk(tmp_path)
    save = files.save
    saved = []

    def cut_save(name: str, value: bytes) -> None:
        saved.append(name)
        if len(saved) - 1 != number or kept:
            save(name, value)
        if len(saved) - 1 == number:
            raise PowerCut

    monkeypatch.setattr(files, "save", cut_save)
    with pytest.raises(PowerCut):
        desk.signer()
    monkeypatch.setattr(files, "save", save)
    assert finished(desk)


@pytest.mark.parametrize("fault", [Fault.DEAD, Fault.BAD_CRC, Fault.ALL_FF])
@pytest.mark.parametrize("opcode", [packets.LOCK, packets.GENKEY, packets.WRITE, packets.COUNTER])
def test_an_answer_that_gets_lost_is_not_a_step_that_failed(tmp_path: Path, fault: Fault, opcode: int) -> None:
    """Enough of it that the command is sent again, though it was executed."""
    desk = Desk(tmp_path)
    desk.chip.script(fault, 6, opcode)
    signer = desk.signer()
    assert signer.chip.repeats > 0
    assert finished(desk)


def test_the_second_start_writes_nothing_but_its_count(settled: Desk) -> None:
    before = settled.chip.memory.writes
    settled.restart()
    assert settled.chip.memory.writes == before + 1


def test_the_key_cannot_be_replaced_over_the_bus(settled: Desk) -> None:
    driver = settled.driver()
    with pytest.raises(ChipFailure, match="execution"):
        driver.create_key(0)
    for slot in range(1, 16):
        with pytest.raises(ChipFailure, match="execution"):
            driver.create_key(slot)
    with pytest.raises(ChipFailure, match="execution"):
        driver.configure(20, b"\x83\x20\x87\x20")


@pytest.mark.parametrize(
    "change",
    [
        lambda zone: zone.__setitem__(20, 0x83),
        lambda zone: zone.__setitem__(96, 0x13),
        lambda zone: zone.__setitem__(19, 0x04),
        lambda zone: zone.__setitem__(16, 0x6C),
    ],
    ids=["signs internal messages too", "not lockable", "a long watchdog", "another address"],
)
def test_a_chip_locked_with_another_configuration_is_refused(
    tmp_path: Path, change: Callable[[bytearray], None]
) -> None:
    desk = Desk(tmp_path)
    ours = Desk(tmp_path)
    ours.signer()
    desk.chip.memory.config = bytearray(ours.chip.memory.config)
    files.save(signers.KEY_IN_CHIP, b"")
    change(desk.chip.memory.config)
    writes = desk.chip.memory.writes
    with pytest.raises(ChipFailure, match="foreign"):
        desk.signer()
    assert desk.chip.memory.writes == writes


def test_another_kind_of_chip_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.chip.memory.config[6] = 0x50
    with pytest.raises(ChipFailure, match="foreign"):
        desk.signer()
    assert desk.chip.memory.writes == 0


def test_a_zone_that_does_not_read_back_is_not_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(tmp_path)
    monkeypatch.setattr(desk.chip.memory, "write_config", lambda at, data: None)
    with pytest.raises(ChipFailure, match="configuration"):
        desk.signer()
    assert not desk.chip.memory.config_locked


def test_another_chip_of_ours_is_refused(settled: Desk, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    stranger = Desk(other)
    stranger.signer()
    here = Desk(tmp_path, stranger.chip)
    with pytest.raises(signers.KeyMismatch):
        here.signer()


def test_a_blank_chip_in_the_place_of_the_terminals_own_is_refused_and_stays_blank(
    settled: Desk, tmp_path: Path
) -> None:
    blank = Atecc608()
    with pytest.raises(signers.KeyMismatch):
        Desk(tmp_path, blank).signer()
    assert blank.memory.writes == 0


def test_a_chip_with_a_key_and_a_flash_that_knows_nothing_is_refused(settled: Desk, tmp_path: Path) -> None:
    (tmp_path / signers.KEY_IN_CHIP).unlink()
    with pytest.raises(signers.KeyMismatch):
        settled.restart()


def test_a_terminal_with_a_key_in_flash_does_not_move_into_a_chip(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    before = signers.choose(None)
    assert before.counter() is None
    with pytest.raises(signers.KeyMismatch):
        signers.choose(desk)
    assert desk.chip.memory.writes == 0 and desk.transfers == 0
    assert signers.choose(None).public == before.public


def test_a_terminal_whose_chip_is_gone_does_not_move_into_flash(settled: Desk) -> None:
    with pytest.raises(signers.KeyMismatch):
        signers.choose(None)
    assert files.load(signers.KEY_IN_FLASH) is None
    settled.chip.power_off()
    with pytest.raises(ChipFailure, match="absent"):
        settled.signer()
    assert files.load(signers.KEY_IN_FLASH) is None
