"""A change of epoch on flash that takes no program from one on until the next start. Under MicroPython only."""

import collects  # noqa: F401
import nor
import vfs
from packages import ROOT_KEY, signed
from situations import refuses, run

from plomba_wire import chain
from plomba_wire.codec import Certificate
from plomba_wire.vocabulary import ObjectKind, Protection, Role
from terminal import files
from terminal.flash import FileRange, Region
from terminal.journal import epoch
from terminal.journal.ring import Journal
from terminal.keys.identity import Identity
from terminal.keys.signer import SoftwareSigner

FILES = 4
RING = 3
CHIP, BEFORE = nor.blank(FILES + RING), nor.blank(FILES + RING)


def mount(chip) -> Region:
    region = Region(chip, FILES, RING)
    files.mount(FileRange(chip, 0, FILES), region)
    return region


def certificate(identity: Identity, number: int) -> bytes:
    contents = Certificate(Role.TERMINAL, Protection.OPEN, number, identity.public, b"cut").pack()
    return signed(ObjectKind.CERTIFICATE, number, contents, ROOT_KEY)


def test_nothing_is_recorded_before_a_start_has_finished_the_change():
    chip = nor.Nor(CHIP)
    region = mount(chip)
    identity = Identity(SoftwareSigner())
    identity.take(certificate(identity, 1))
    journal = Journal(region, chain.genesis(identity.public, 1), 0)
    for _ in range(40):
        journal.append(nor.noise(8) + journal.next_seq.to_bytes(4, "big") + nor.noise(60))
        journal.sign(nor.noise(64))
    vfs.umount("/state")
    BEFORE[:] = CHIP
    programs = 0
    faults = 0
    coming = certificate(identity, 2)
    while True:
        CHIP[:] = BEFORE
        region = mount(chip)
        identity = Identity(SoftwareSigner())
        last = chip.programs + programs
        chip.fails = lambda at, last=last: chip.programs > last
        try:
            epoch.begin(identity, coming, region)
            break
        except epoch.Unfinished:
            faults += 1
        chip.fails = None
        vfs.umount("/state")
        region = mount(chip)
        epoch.finish(Identity(SoftwareSigner()), region)
        number = Identity(SoftwareSigner()).epoch
        journal = Journal(region, chain.genesis(identity.public, number), 40 if number == 1 else 0)
        assert journal.next_seq == (41 if number == 1 else 1) and not journal.broken, (programs, number)
        vfs.umount("/state")
        programs += 1
    chip.fails = None
    assert faults > 5, faults
    refuses(IndexError, Journal(region, chain.genesis(identity.public, 2), 0).read, 1)
    vfs.umount("/state")


run(globals())
