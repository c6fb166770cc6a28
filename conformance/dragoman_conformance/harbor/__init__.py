"""Harbor, a small venue of the kit's own: what adapters and the library are tested against.

`venue` and what it stands on import nothing of dragoman, so they can judge it; `adapter` speaks to
the venue the way an adapter of a real one would.
"""
