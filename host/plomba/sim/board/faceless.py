"""For whoever runs the firmware without its face: to draw a screen takes longer than to sign. MicroPython only."""


class NoFace:
    """Takes the presenter's place and says nothing."""

    def __getattr__(self, name: str):
        return _nothing


def _nothing(*arguments) -> None:
    pass
