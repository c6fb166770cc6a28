"""Write the documents of the protocol: `python -m dragoman_gateway.native docs/native`."""

from __future__ import annotations

import sys
from pathlib import Path

from .documents import write_documents

write_documents(Path(sys.argv[1]))
