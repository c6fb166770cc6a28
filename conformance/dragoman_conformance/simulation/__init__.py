"""Deterministic simulation: a whole run, faults included, that one line of text repeats exactly.

`python -m dragoman_conformance.simulation "<line>"` replays a line. `loop` gives virtual time and a
seeded schedule, `plan` says what goes wrong and when, `run` plays it, and `checker`, which shares
no code with the library, judges what the venue's ledger and the client's history say.
"""
