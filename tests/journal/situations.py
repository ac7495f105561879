"""Tests of one situation each, all of a script in one process. Under MicroPython only."""

import gc
import json
import random
import sys


def refuses(error, act, *arguments) -> None:
    try:
        act(*arguments)
    except error:
        return
    raise AssertionError("not refused")


def run(situations) -> None:
    """Runs every function whose name begins with test_ and prints in JSON what went wrong in each."""
    # What is kept for long would otherwise lie scattered all over the heap, and leave no large piece free.
    gc.threshold(16384)
    found = {}
    for name in sorted(situations):
        if name.startswith("test_"):
            gc.collect()
            random.seed(1)
            found[name] = ""
            try:
                situations[name]()
            except Exception as error:
                sys.print_exception(error)
                found[name] = repr(error)
    print(json.dumps(found))
