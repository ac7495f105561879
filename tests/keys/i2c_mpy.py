"""What a board can do on the simulated I²C bus, one line a finding. MicroPython only."""

from machine import I2C, SoftI2C

bus = I2C(0, freq=100000)


def tried(call):
    try:
        return call()
    except OSError as error:
        return "errno %d" % error.errno


print(bus.scan())
print(tried(lambda: bus.writeto(0, b"\x00")))
print(bus.readfrom(0x60, 4).hex())
print(bus.scan())
print(tried(lambda: bus.readfrom(0x61, 4)))
print(bus.writeto(0x60, b"\x03\x07\x30\x00\x00\x00\x03\x5d"))
print(tried(lambda: bus.readfrom(0x60, 7)))
print(tried(lambda: bus.readfrom(0x60, 7)))
answer = bytearray(7)
bus.readfrom_into(0x60, answer)
print(answer.hex())
print(isinstance(SoftI2C(0), I2C))
