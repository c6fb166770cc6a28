"""How far orders on their way have come, as another thread sees it."""

import queue
import threading

from dragoman.errors import HaltedError
from dragoman.orders.sendings import Flight, Sendings
from dragoman.permits import SendPermit

LONGEST_S = 30


class TellingLock:
    """A lock that tells when a named thread asks for it."""

    def __init__(self, name, tell):
        self._lock = threading.RLock()
        self._name = name
        self._tell = tell

    def acquire(self):
        if threading.current_thread().name == self._name:
            self._tell("asked for the lock")
        return self._lock.acquire()

    def release(self):
        self._lock.release()

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *_):
        self.release()


def test_an_order_that_is_refused_in_this_instant_is_never_told_as_sent():
    told, seen = queue.Queue(), []
    refusing, may_refuse = threading.Event(), threading.Event()
    lock = TellingLock("halting", told.put)

    def refuse():
        refusing.set()
        may_refuse.wait(LONGEST_S)
        raise HaltedError("halted")

    sendings, refused, written = Sendings(), SendPermit(refuse, lock), SendPermit(lambda: None)
    sendings.begin(["refused", "written"])
    sendings.send_under(["refused"], refused)
    sendings.send_under(["written"], written)
    with written.writing():
        pass

    def write():
        try:
            refused.begin()
        except HaltedError:
            seen.append("refused")

    def look():
        seen.append(sendings.flights())
        told.put("looked")

    writing = threading.Thread(target=write)
    halting = threading.Thread(target=look, name="halting")
    writing.start()
    assert refusing.wait(LONGEST_S)
    halting.start()
    first = told.get(timeout=LONGEST_S)
    may_refuse.set()
    writing.join(LONGEST_S)
    halting.join(LONGEST_S)

    assert "asked for the lock" == first
    assert {"refused": Flight.UNSENT, "written": Flight.SENT} in seen
