"""What an owner who is not there has to answer to a challenge on the screen (SPEC.md, section 3)."""

from plomba_wire import answering
from plomba_wire.answering import challenge as challenge
from terminal.keys.nonce import hmac_sha256


def expected(signer, owner: bytes, terminal: bytes, order: bytes, need: int, challenge: bytes) -> "bytes | None":
    """The eight digits, or None where nobody can answer: there is no owner, or the key cannot agree on a secret.

    `signer`: signer.py; `owner`: X || Y, b"" = nobody; `terminal`: id; `need`: the verdict that the override answers.
    It takes about half a second on an RP2350. Raises ValueError when `owner` is not a point.
    """
    shared = signer.agree(owner) if owner else None
    if shared is None:
        return None
    message = answering.answer_message(terminal, order, need, challenge)
    return answering.digits(hmac_sha256(answering.answer_key(shared), message))
