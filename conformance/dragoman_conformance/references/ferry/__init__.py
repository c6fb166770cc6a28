"""Ferry, a toy broker without any stream: REST alone, asked again and again.

The adapter and the dialect share no code, so each judges the other.
"""
