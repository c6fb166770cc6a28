"""`python -m dragoman_conformance.selftest`: play mutants, and tell what each of them fails."""

from __future__ import annotations

import argparse
import sys

from .matrix import failing, read_matrix, write_matrix
from .mutant import all_mutants


def main() -> int:
    """Play mutants; 1 if one survives, or fails other requirements than the matrix says."""
    parser = argparse.ArgumentParser(prog="selftest", description="Play the kit's planted bugs.")
    parser.add_argument("ids", nargs="*", help="mutants such as M06; all if none is named")
    parser.add_argument(
        "--full", action="store_true", help="play every scenario, not only those of its kills"
    )
    parser.add_argument("--write", action="store_true", help="write what was found to the matrix")
    chosen = parser.parse_args()
    matrix, wrong = read_matrix(), 0
    for one in all_mutants():
        if chosen.ids and one.id not in chosen.ids:
            continue
        found = failing(one, is_full=chosen.full)
        due = matrix.get(one.id, frozenset(one.kills)) | set(one.kills)
        missed, extra = sorted(due - found), sorted(found - due)
        wrong += bool(missed or (extra and not chosen.full))
        sys.stdout.write(f"{one.id} {one.of}: {', '.join(sorted(found)) or 'SURVIVED'}")
        sys.stdout.write(f"  MISSED {missed}" if missed else "")
        sys.stdout.write(f"  BESIDES {extra}\n" if extra else "\n")
        sys.stdout.flush()
        if chosen.write and not chosen.full:
            write_matrix({**read_matrix(), one.id: found})
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
