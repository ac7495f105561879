"""Figures of the system, measured on real parts. docs/bench.md says what each one is."""
