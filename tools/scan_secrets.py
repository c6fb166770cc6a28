"""Fail when a file holds what looks like a live credential: `scan_secrets.py FOLDER...`.

General scanners know the tokens of big services and the look of random text. Recorded broker
traffic is full of random text that is harmless, and its credentials are plain words under names
that only brokers use, so this looks for the names. A recording keeps the name and has `<...>` or
`REDACTED` for the value; a value without a digit, or of less than 16 characters, is no credential.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_VALUE = r"(?=[A-Za-z0-9+/_.=~:%-]*\d)[A-Za-z0-9+/_.=~:%-]{16,}"
_NAME = (
    r"(?<![\w-])[\w-]*(?:"
    r"(?:api|secret|private)[-_]?key|(?:access|refresh|request|auth|session|enc)[-_]?token"
    r"|listen[-_]?key|mbx[-_]apikey|apca-api-[\w-]+|api[-_]?secret|client[-_]?secret"
    r"|passw(?:or)?d|passphrase|signature|totp|cookie|\btoken"
    r")[\w-]*"
)
_RULES = {
    "value under a credential's name": rf"(?i){_NAME}[\"']?\s*[:=,]\s*\[?\s*[\"']?{_VALUE}",
    "authorization header": rf"(?i)\b(?:bearer|basic|token)\s+[\"']?{_VALUE}",
    "password in an address": r"://[^/\s:@<]+:[^/\s@<]+@",
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "web token": r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}",
}


def kinds_in(line: str) -> Iterator[str]:
    """Yield the kind of each credential in `line`, never its value."""
    return (kind for kind, pattern in _RULES.items() if re.search(pattern, line))


def main(folders: list[str]) -> int:
    """Print every finding as `path:line: kind`; return 1 if there is one, else 0."""
    paths = sorted(path for folder in folders for path in Path(folder).rglob("*") if path.is_file())
    findings = [
        f"{path}:{number}: {kind}"
        for path in paths
        if "__pycache__" not in path.parts
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1)
        for kind in kinds_in(line)
    ]
    print("\n".join(findings) or f"no credential in {len(paths)} files")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
