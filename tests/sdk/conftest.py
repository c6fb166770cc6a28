"""The acceptance of the Tektii dialect by its own SDK, in environments of its own.

The SDK and the other official clients can't be installed side by side, so the suite passes this
folder over where there is no SDK; `tox -e tektii191` has one.
"""

import contextlib
import importlib.util
import socket

import pytest

HAS_SDK = importlib.util.find_spec("tektii") is not None
collect_ignore_glob = [] if HAS_SDK else ["test_*.py"]

if HAS_SDK:
    import httpx
    from tests.sdk.clients import LONGEST_S, go_flat, open_client
    from tests.sdk.stacks import open_stack

# What people run, over one hop and over two, with both faces of the SDK.
PAIRS = (("serve", "async"), ("hops", "sync"))


def pytest_configure(config):
    config.addinivalue_line("markers", "stacks(*names): which of the stacks a test is for")
    # The SDK stops the loops of its sync client and stream, and never closes them.
    config.addinivalue_line("filterwarnings", "ignore:unclosed:ResourceWarning")


def pytest_generate_tests(metafunc):
    if "pair" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("stacks")
        rows = [
            pytest.param(pair, id="-".join(pair), marks=pytest.mark.xdist_group(pair[0]))
            for pair in PAIRS
            if marker is None or pair[0] in marker.args
        ]
        metafunc.parametrize("pair", rows, scope="session")


@pytest.fixture(scope="session")
def open_base(tmp_path_factory):
    """Return the URL of a stack, which is opened when it is first asked for."""
    opened = {}
    with contextlib.ExitStack() as stack:

        def find(name):
            if name not in opened:
                folder = tmp_path_factory.mktemp(name)
                opened[name] = stack.enter_context(open_stack(name, folder))
            return opened[name]

        yield find


@pytest.fixture(scope="session")
def base(pair, open_base):
    """Where the stack of this row is served."""
    return open_base(pair[0])


@pytest.fixture(scope="session")
def gateway(pair, base):
    """A client of the SDK, of this row's face."""
    client = open_client(pair[1], base)
    yield client
    client.close()


@pytest.fixture(scope="session")
def http(base):
    """A plain HTTP client of the same server, for what the SDK can't send or doesn't show."""
    with httpx.Client(base_url=base, timeout=LONGEST_S) as client:
        yield client


@pytest.fixture
def flat(gateway):
    """Nothing open and nothing held as the test begins."""
    go_flat(gateway)


@pytest.fixture
def free_port():
    """A port nobody listens on: bound for as long as the test lasts, and never listened at."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
