"""A plan played for one row of the fault table, and what its history shows."""

from tests.effort import effort

from dragoman_conformance.simulation.plan import Plan
from dragoman_conformance.simulation.run import play

SEEDS = range(effort(10))
ONE = "1000:submit:buy:AAPL:3:99.50:a"
SECOND_NS = 1_000_000_000
START_NS = 1_767_796_200_000_000_000


class Story:
    """One run without a broken invariant, in which every fault of the plan has struck."""

    def __init__(self, line, seed):
        self.run = play(Plan.parse(f"seed={seed} rejects=0 {line}"))
        assert not self.run.breaches, self.run.report()
        struck = {row["fault"] for row in self.run.history.of("plan") if row["row"] == "fault"}
        planned = {str(fault) for fault in self.run.plan.faults}
        assert planned == struck, self.run.report()

    def client(self, kind):
        return [row for row in self.run.history.of("client") if row["row"] == kind]

    def venue(self, kind):
        return [row for row in self.run.history.of("venue") if row["row"] == kind]

    def orders(self):
        """Return how many orders the venue has."""
        return len(self.venue("accepted"))

    def sent(self, name):
        """Return how many requests of an endpoint had their first byte written."""
        rows = self.run.history.of("wire")
        return len([row for row in rows if row["name"].startswith(name)])

    def opened(self):
        """Return how often a stream was opened, or refused."""
        return len([row for row in self.run.history.of("wire") if row["row"] == "open"])

    def served(self, method, since_s=0.0, until_s=float("inf")):
        """Return the requests that reached the venue within a span of the run."""
        rows = [row for row in self.venue("request") if row["method"] == method]
        return [row for row in rows if since_s <= seconds(row) < until_s]

    def events(self, name="a"):
        return [row for row in self.client("event") if row["client_id"] == name]

    def kinds(self, name="a"):
        return [row["kind"] for row in self.events(name)]

    def last(self, name="a"):
        return next(row for row in self.client("order") if row["client_id"] == name)

    def status(self, name="a"):
        return self.last(name)["status"]

    def outcomes(self, verb="submit"):
        rows = [row for row in self.client("call") if row["verb"] == verb]
        return [row["error"] or "OK" for row in rows]

    def alarms(self):
        return [row["kind"] for row in self.client("alarm")]

    def health(self):
        return [row["state"] for row in self.client("health")]

    def connection(self):
        return [row["state"] for row in self.client("connection")]


def seconds(row):
    """Return when a row of the venue happened, in seconds of the run."""
    return (row["at_ns"] - START_NS) / SECOND_NS
