"""What a verdict sounds like: (Hz, ms) pairs, 0 Hz is a pause.

The trade's convention (Motorola and Zebra manuals): one short high beep is good, long low ones are not. The engine's
own beep is switched off: a decode is not a verdict.
"""

TONES = {
    "ok": ((2700, 80),),
    "release": ((2700, 80), (0, 40), (3200, 180)),
    "next": ((1800, 90), (2400, 120)),
    "repeat": ((2000, 60), (0, 50), (2000, 60)),
    "siren": ((900, 250), (1400, 250)) * 4,
    "alarm": ((900, 250), (1400, 250)) * 2,
    "refused": ((400, 300), (0, 80), (400, 300)),
}
