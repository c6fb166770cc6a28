"""Beacon, a toy dealer in pairs: REST for commands, endless lines of JSON for all that happens.

The adapter and the dialect share no code, so each judges the other.
"""
