"""Counts flash operations for each record, over two rounds of a ring. Under MicroPython only."""

import json
import random

import nor
from bench import Bench
from bodies import body

ROUNDS = 2
BLOCKS = 8


def cost(lengths, pages: int):
    bench = Bench(BLOCKS)
    region = bench.region
    region.reads = region.programs = region.erases = 0
    count = ROUNDS * BLOCKS * 16 // pages
    for number in range(count):
        journal = bench.journal
        bench.receipt(journal.append(body(journal.next_seq, journal.head, lengths[number % len(lengths)])))
        journal.sign(nor.noise(64))
    return {
        "records": count,
        "programs": region.programs / count,
        "erases": region.erases / count,
        "reads": region.reads / count,
    }


random.seed(1)
print(json.dumps({"typical": cost(range(100, 145), 1), "two pages": cost(range(149, 400, 7), 2)}))
