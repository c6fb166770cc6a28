"""How much is tried: enough for every change, a part where that was done already, or far more.

`DRAGOMAN_HYPOTHESIS_PROFILE=quick` is for further interpreters, on which the same code makes the
same of the same example; `DRAGOMAN_SOAK=1` is for machines that have hours.
"""

import os

IS_SOAK = bool(os.environ.get("DRAGOMAN_SOAK"))
IS_QUICK = not IS_SOAK and os.environ.get("DRAGOMAN_HYPOTHESIS_PROFILE") == "quick"
PROFILE = "soak" if IS_SOAK else "quick" if IS_QUICK else "ci"


def effort(usual, *, quick=None, soak=None):
    """Return how many of something to try; unless told, a fifth when quick, ten times in a soak."""
    if IS_SOAK:
        return 10 * usual if soak is None else soak
    if IS_QUICK:
        return max(1, usual // 5) if quick is None else quick
    return usual
