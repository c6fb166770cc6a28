"""Write down which fields an adapter tells: `python tools/write_fields.py alpaca`.

The file `fields.toml` of a subject's evidence is what CAP-100 holds the adapter to. Read what
changed before it is kept: a field that went is a field that users lose.
"""

import sys

from dragoman_conformance import find_subject
from dragoman_conformance.looks.knowledge import fields_told
from dragoman_conformance.references.subjects import REFERENCES
from dragoman_conformance.runner import play_by_hand


def main() -> None:
    """Write the file of each subject that is named."""
    for name in sys.argv[1:]:
        subject = REFERENCES.get(name) or find_subject(name)
        if subject.evidence is None:
            sys.exit(f"{name} has no folder of evidence")
        found = play_by_hand(subject, fields_told)
        lines = [f"# Which fields the adapter of {name} tells by itself.\n"]
        for kind in sorted(found):
            fields = "".join(f'    "{field}",\n' for field in sorted(found[kind]))
            lines.append(f"{kind} = [\n{fields}]\n")
        file = subject.evidence / "fields.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(lines), encoding="utf-8")
        print(f"{file}: {sum(map(len, found.values()))} fields of {len(found)} models")


if __name__ == "__main__":
    main()
