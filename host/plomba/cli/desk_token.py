"""The token that shows the desk who asks: from a file, else from the environment. It is never an argument."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from plomba.cli.secret_file import first_line
from plomba.errors import UsageError

VARIABLE = "PLOMBA_DESK_TOKEN"
TokenFile = Annotated[
    Path | None, Parameter(help=f"A file with the account's token (docs/accounts.md); else {VARIABLE} holds the token.")
]


def desk_token(file: Path | None) -> str | None:
    """None where neither is given. Raises UsageError `token_file_readable`, `token_file_missing`, `token_form`."""
    named = str(file) if file is not None else VARIABLE
    text = first_line(file, "token").decode("ascii", "replace") if file is not None else os.environ.get(VARIABLE, "")
    token = text.strip()
    if file is None and not token:
        return None
    # It becomes a header: what is no token must not be one either.
    if not token.isascii() or not token.isprintable() or not token or " " in token:
        raise UsageError("token_form", where=named)
    return token
