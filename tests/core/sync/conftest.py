"""A synchronous broker over a venue that the test holds, and proof that no thread is left."""

import threading

import pytest
from tests.core.sync.venue import Venue


@pytest.fixture
def venue():
    yield Venue()

    names = [thread.name for thread in threading.enumerate()]
    assert [] == [name for name in names if name.startswith("dragoman")]


@pytest.fixture
def broker(venue):
    with venue.connect(account_id="one") as broker:
        yield broker


@pytest.fixture
def aside():
    """Run a function in a thread; gives back a way to get its result or error."""
    threads = []

    def run(function, *arguments, **named):
        outcome = {}

        def work():
            try:
                outcome["result"] = function(*arguments, **named)
            except BaseException as error:  # noqa: BLE001 - the caller raises it
                outcome["error"] = error

        def answer():
            thread.join(30)
            assert not thread.is_alive()
            if "error" in outcome:
                raise outcome["error"]
            return outcome["result"]

        thread = threading.Thread(target=work)
        threads.append(thread)
        thread.start()
        return answer

    yield run

    for thread in threads:
        thread.join(30)
