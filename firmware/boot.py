"""Before main: chooses the firmware that runs. Without an image that is what is built in, and nothing is imported.

This file and what it imports are built in, whatever image runs; then it makes room for the chosen one. The console of a
release build is closed before anything else: Ctrl-C is alive from the first moment on.
"""

import gc
import sys

import boards
from terminal import files

_IMAGE = "/image"


def choose():
    """The ROMFS to start from, None for what is built in."""
    board = boards.current()
    try:
        files.mount(board.file_range(), board.journal_region())
    except OSError:
        return None
    try:
        if files.load("image") is None:
            return None
        from plomba_wire.codec import ImageHead
        from terminal.update import Images

        images = Images(board.image_regions())
        number = images.choose()
        if number is None:
            return None
        slot = images.slots[number]
        return board.image_window(number, slot.content_at + ImageHead.SIZE, slot.size - ImageHead.SIZE)
    except OSError:
        return None
    finally:
        files.unmount()


def make_way() -> None:
    """What was imported so far is forgotten, so that the image brings its own."""
    for name in list(sys.modules):
        if name.split(".")[0] in ("boards", "plomba_wire", "terminal"):
            del sys.modules[name]
    gc.collect()


def start() -> None:
    """Runs main. An image that cannot be mounted or imported is one that has not come up: the next start counts it."""
    window = choose()
    if window is not None:
        import vfs

        make_way()
        vfs.mount(vfs.VfsRom(window), _IMAGE)  # type: ignore[attr-defined]
        sys.path.insert(0, _IMAGE)
    import main

    assert main


boards.current().close_console()
try:
    boards.current().watchdog()
    start()
except BaseException as error:
    if isinstance(error, Exception) or boards.current().released():
        sys.print_exception(error)
        boards.current().reset()
    raise
