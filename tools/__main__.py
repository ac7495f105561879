"""`python3 tools <task>`: the one way to set up, run and check the project. Needs nothing but a Python."""

import sys

# This file alone stays readable for any Python 3, so that an old one gets a sentence and not a SyntaxError.
if sys.version_info < (3, 11):
    sys.exit("plomba needs Python 3.11 or newer; this is " + sys.version.split()[0] + " at " + sys.executable)

import tasks

tasks.main(sys.argv[1:])
