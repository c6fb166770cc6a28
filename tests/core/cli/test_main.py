"""The command as a process of its own, over pipes."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from dragoman import __version__
from dragoman.cli import main

COMMAND = (sys.executable, "-c", "import sys; from dragoman.cli import main; sys.exit(main())")
WITHOUT_EXTRA = """
import sys
for name in ("cyclopts", "rich"):
    sys.modules[name] = None
from dragoman.cli import main
sys.exit(main())
"""


@pytest.fixture
def start(home):
    running = []

    def start_command(*arguments, **variables):
        process = subprocess.Popen(  # noqa: S603 - runs the command under test
            [*COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **variables},
            text=True,
        )
        running.append(process)
        return process

    yield start_command
    for process in running:
        process.kill()
        process.communicate()


def test_version_is_told(start):
    process = start("--version")

    assert (f"{__version__}\n", "") == process.communicate()
    assert 0 == process.returncode


def test_version_loads_neither_the_extra_nor_the_library():
    script = (
        "import sys\nfrom dragoman.cli import main\nmain(['--version'])\n"
        "print(sorted({'rich', 'cyclopts', 'asyncio', 'attrs'} & {*sys.modules}))"
    )

    found = subprocess.run(  # noqa: S603 - runs the script above
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "[]" == found.stdout.splitlines()[-1]


def test_missing_extra_is_one_line_with_the_remedy():
    found = subprocess.run(  # noqa: S603 - runs the script above
        [sys.executable, "-c", WITHOUT_EXTRA, "--version"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (3, "", 1) == (found.returncode, found.stdout, len(found.stderr.splitlines()))
    assert 'pip install "dragoman[cli]"' in found.stderr


def test_help_documents_every_exit_code(start):
    out, _ = start("--help").communicate()

    lines = [line.strip() for line in out.splitlines()]
    assert [] == [
        code for code in range(8) if not any(one.startswith(f"{code}  ") for one in lines)
    ]


def seconds_since(began):
    """The claims that need it are about the wall clock."""
    return time.monotonic() - began


def first_line(process, began):
    """Return it, and how long a second is on this machine: as long as the start took, if longer."""
    line = process.stdout.readline()
    return line, max(1.0, seconds_since(began))


def test_demo_over_a_pipe_is_plain_flat_and_within_20_seconds(start):
    began = time.monotonic()

    process = start("demo", FORCE_COLOR="1")
    line, second = first_line(process, began)
    rest, err = process.communicate()

    assert (0, "", True) == (process.returncode, err, seconds_since(began) < 20 * second)
    out = line + rest
    assert out.replace("\n", "").isprintable()
    assert "positions:   none, the account is flat" in out
    assert "reconciled:  to the last digit" in out


@pytest.mark.parametrize("arguments", [("demo",), ("stream", "AAPL", "--json")])
def test_interrupt_ends_cleanly_within_a_second(start, arguments):
    began = time.monotonic()
    process = start(*arguments)
    _, second = first_line(process, began)

    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, err = process.communicate()

    assert (130, True) == (process.returncode, seconds_since(began) < second)
    assert "dragoman: interrupted" == err.splitlines()[-1]
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [("bars", "AAPL", "1m", "--limit", "20000", "--json"), ("quote", "AAPL"), ("--help",)],
)
def test_reader_that_goes_away_is_no_traceback(start, arguments):
    process = start(*arguments)

    process.stdout.close()
    err = process.stderr.read()

    assert (141, "") == (process.wait(), err)


def test_commands_share_a_venue_across_processes(start):
    start("buy", "AAPL", "10", "--wait").communicate()

    out, _ = start("positions", "--json").communicate()

    assert ["10"] == [position["quantity"] for position in json.loads(out)["positions"]]


def test_bug_is_one_line_and_its_traceback_is_there_for_the_asking():
    script = (
        "import sys\nfrom dragoman.cli import app, main\n"
        "app.make_app = lambda: 1 / 0\nsys.exit(main(['account']))"
    )

    runs = [
        subprocess.run(  # noqa: S603 - runs the script above
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "DRAGOMAN_DEBUG": debug},
        )
        for debug in ("", "1")
    ]

    assert [70, 70] == [run.returncode for run in runs]
    assert 1 == len(runs[0].stderr.splitlines())
    assert "DRAGOMAN_DEBUG=1" in runs[0].stderr
    assert "Traceback" in runs[1].stderr


def test_main_returns_the_exit_code(capsys, home):
    assert (0, 2) == (main(["--version"]), main(["buy"]))
    assert "SYMBOL" in capsys.readouterr().err


def test_no_color_over_a_pipe_in_any_language(start):
    out, err = start("quote", "AAPL", FORCE_COLOR="1", LC_ALL="C", PYTHONUTF8="0").communicate()

    assert (out + err).replace("\n", "").isprintable()


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell closes the stream")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_end_in_no_traceback(home, closed):
    line = f'exec "$@" {closed}'

    done = subprocess.run(  # noqa: S603 - runs the command under test
        ["/bin/sh", "-c", line, "sh", *COMMAND, "account"], capture_output=True, check=False
    )

    assert (0, b"") == (done.returncode, done.stderr)


def test_a_running_stream_keeps_nobody_from_trading(start, cli):
    stream = start("stream", "AAPL", "--json", "--option", "speed=100")
    stream.stdout.readline()

    bought = cli("buy", "AAPL", "1", "--limit", "150", "--client-order-id", "a1")
    seen = cli("orders", "--json").json["orders"]
    stream.terminate()

    assert (0, ["a1"]) == (bought.code, [order["client_order_id"] for order in seen])
