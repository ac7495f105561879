"""What MicroPython lacks of `typing`: annotations cost nothing, and `if TYPE_CHECKING` blocks are skipped."""

TYPE_CHECKING = False
