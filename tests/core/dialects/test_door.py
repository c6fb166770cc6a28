"""Who may speak to a server at all."""

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from dragoman.dialects.door import Door, address_of, is_local


class Protocol:
    def __init__(self, sockname):
        self.sockname = sockname


class Request:
    """As much of a request as the door looks at."""

    scheme = "http"

    def __init__(self, headers, sockname):
        self.headers = CIMultiDictProxy(CIMultiDict(headers))
        self.protocol = Protocol(sockname)


def request(host="127.0.0.1:8080", *, origins=(), sockname=("127.0.0.1", 8080)):
    headers = [("Origin", one) for one in origins]
    return Request([*headers, *([] if host is None else [("Host", host)])], sockname)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (("127.0.0.1", 80), True),
        (("127.8.9.1", 80), True),
        (("::1", 80, 0, 0), True),
        (("::ffff:127.0.0.1", 80, 0, 0), True),
        ("/run/dragoman.sock", True),
        (("192.168.1.2", 80), False),
        (("::ffff:10.0.0.1", 80, 0, 0), False),
        (("2001:db8::1", 80, 0, 0), False),
        (("128.0.0.1", 80), False),
        ((), False),
        (None, False),
    ],
)
def test_a_local_address_is_one_that_other_machines_can_not_reach(address, expected):
    assert expected is is_local(address)


@pytest.mark.parametrize(
    ("address", "expected"), [(("a", 1), "a"), (None, ""), ((), ""), ("/run/x", "")]
)
def test_a_connection_comes_from_an_address(address, expected):
    assert expected == address_of(address)


@pytest.mark.parametrize("sockname", [("192.168.1.2", 80), ("2001:db8::1", 80, 0, 0), None])
def test_without_keys_nobody_is_served_by_another_address(sockname):
    """However it came to listen there, and whatever name the client gives."""
    message = "without keys only programs on this machine are served"

    assert message == Door(is_keyed=False).objection(request(sockname=sockname))
    assert None is Door().objection(request(sockname=sockname))


def test_without_keys_this_machine_is_served():
    assert None is Door(is_keyed=False).objection(request())


@pytest.mark.parametrize(
    ("host", "is_in"),
    [
        ("desk.example", True),
        ("DESK.example:8443", True),
        ("localhost:1", True),
        ("desk.example.evil.example", False),
        ("evil.example", False),
        ("desk.example@evil.example", False),
        ("", False),
        (None, False),
    ],
)
def test_names_are_let_in_that_are_its_own(host, is_in):
    door = Door(hosts=["Desk.Example"])

    for _ in range(2):
        assert is_in is (door.objection(request(host)) is None)


@pytest.mark.parametrize(
    ("origins", "is_in"),
    [
        ((), True),
        (("http://127.0.0.1:8080",), True),
        (("https://desk.example",), True),
        (("https://127.0.0.1:8080",), False),
        (("http://127.0.0.1:8081",), False),
        (("http://desk.example",), False),
        (("null",), False),
        (("",), False),
        (("https://desk.example", "https://evil.example"), False),
    ],
)
def test_pages_are_let_in_that_are_its_own(origins, is_in):
    door = Door(origins=["https://desk.example"])

    assert is_in is (door.objection(request(origins=origins)) is None)


def test_it_remembers_only_so_many_spellings_of_its_names():
    door = Door()
    for port in range(3000):
        assert None is door.objection(request(f"localhost:{port}"))

    assert 1024 == len(door._known)


@pytest.mark.parametrize(
    ("site", "mode", "is_let_in"),
    [
        ("cross-site", "no-cors", False),
        ("same-site", "no-cors", False),
        ("cross-site", None, False),
        ("cross-site", "navigate", True),
        ("same-origin", "cors", True),
        ("none", "navigate", True),
    ],
)
def test_what_a_page_of_another_origin_loads_as_an_image_is_refused(site, mode, is_let_in):
    headers = {"Host": "localhost", "Sec-Fetch-Site": site}
    if mode is not None:
        headers["Sec-Fetch-Mode"] = mode

    objection = Door().objection(Request(headers, ("127.0.0.1", 80)))

    assert is_let_in is (objection is None)
