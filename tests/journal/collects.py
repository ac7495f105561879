"""Imported first: what compiling leaves would lie between the modules, and no large piece of the heap stay free."""

import gc

gc.threshold(8192)
