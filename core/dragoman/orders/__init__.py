"""Orders one can trust.

Evidence kept as a set, one order that follows from it, commands that are never repeated.
"""
