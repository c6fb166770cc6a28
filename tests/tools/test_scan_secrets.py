"""Claims of `tools/scan_secrets.py`. Values are made here, so that it passes this file."""

import importlib.util
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "scan_secrets.py"
VALUE = "a1B2" * 8


@pytest.fixture(scope="module")
def scan():
    spec = importlib.util.spec_from_file_location("scan_secrets", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "line",
    [
        f"APCA-API-KEY-ID: [{VALUE}]",
        f"X-MBX-APIKEY: {VALUE}",
        f'"listenKey": "{VALUE}"',
        f"https://venue.example/order?timestamp=1&signature={VALUE}",
        f'{{"access_token":"{VALUE}"}}',
        f"api_secret = '{VALUE}'",
        f"Set-Cookie: {VALUE}",
        f"Authorization: Bearer {VALUE}",
        f"authorization: token {VALUE[:8]}:{VALUE}",
        "wss://someone:" + "hunter2@venue.example/stream",
        "-----BEGIN " + "EC PRIVATE KEY-----",
        ".".join(["eyJ" + VALUE, "eyJ" + VALUE, VALUE]),
    ],
)
def test_live_looking_credential_is_found_and_not_shown(scan, tmp_path, capsys, line):
    (tmp_path / "a.yaml").write_text(f"request:\n{line}\n")

    status = scan.main([str(tmp_path)])

    printed = capsys.readouterr().out
    assert 1 == status
    assert "a.yaml:2: " in printed
    assert VALUE not in printed


@pytest.mark.parametrize(
    "line",
    [
        "APCA-API-KEY-ID: [<api_key>]",
        "Authorization: Bearer <access_token>",
        "X-MBX-APIKEY: REDACTED",
        f'"orderId": "{VALUE}"',
        f"client_order_id = '{VALUE}'",
        "secret='short-1'",
        "see https://venue.example/a:b@c/page",
        'def signature(request: "SignedRequestOfTheVenue") -> str:',
    ],
)
def test_masked_or_harmless_text_passes(scan, tmp_path, line):
    (tmp_path / "a.yaml").write_text(line)

    assert 0 == scan.main([str(tmp_path)])
