"""Everything in the evidence folder, payload by payload, with what is said of each."""

import json

import attrs
import yaml

from dragoman_alpaca.conformance import SUBJECT

ROOT = SUBJECT.evidence


@attrs.frozen(kw_only=True)
class Payload:
    id: str
    text: str
    provenance: str
    document: str
    status: int | None = None
    sent_by: str = "venue"

    @property
    def data(self):
        return self.text.encode()


def exchanges():
    for path in sorted((ROOT / "exchanges").glob("*.yaml")):
        for number, one in enumerate(yaml.safe_load(path.read_text())["interactions"]):
            said = {name: one["provenance"][name] for name in ("provenance", "document")}
            request, response = one["request"], one["response"]
            name = f"{path.stem}-{number}-{request['method']}"
            if request["body"] is not None:
                yield Payload(id=f"{name}-request", text=request["body"], sent_by="client", **said)
            status = response["status"]["code"]
            yield Payload(id=name, text=response["body"]["string"], status=status, **said)


def lines(path):
    header, *rows = [json.loads(line) for line in path.read_text().splitlines()]
    return header, list(enumerate(rows))


def transcripts():
    for path in sorted((ROOT / "transcripts").glob("*.ndjson")):
        header, rows = lines(path)
        said = {name: header[name] for name in ("provenance", "document")}
        for number, row in rows:
            sent_by = "client" if row["d"] == ">" else "venue"
            yield Payload(id=f"{path.stem}-{number}", text=row["data"], sent_by=sent_by, **said)


def tables():
    for path in sorted((ROOT / "tables").glob("*.ndjson")):
        if path.name.endswith(".meanings.ndjson"):
            continue  # says what the payloads of the others mean
        for number, row in lines(path)[1]:
            yield Payload(
                id=f"{path.stem}-{number}",
                text=row["payload"],
                provenance=row["provenance"],
                document=row["document"],
                status=row.get("status"),
            )


PAYLOADS = [*exchanges(), *transcripts(), *tables()]
