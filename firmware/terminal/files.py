"""Small state on LittleFS: one value a file, replaced whole or not at all."""

import os

_FOLDER = "/state/"


def load(name: str) -> "bytes | None":
    """The value, or None when it was never saved."""
    try:
        with open(_FOLDER + name, "rb") as file:
            return file.read()
    except OSError:
        return None


def save(name: str, value: bytes) -> None:
    """Durable on return: LittleFS makes close and rename atomic. Raises OSError."""
    fresh = _FOLDER + name + ".new"
    with open(fresh, "wb") as file:
        file.write(value)
    os.rename(fresh, _FOLDER + name)
