"""What a gateway says once it serves: where, over what, and how to point a client there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .mounts import NATIVE

if TYPE_CHECKING:
    from dragoman.broker import Broker
    from dragoman.cli.shell import Shell

    from .serve import Port

__all__ = ["tell"]


def tell(ports: tuple[Port, ...], shell: Shell, *, needs_key: bool, is_json: bool) -> None:
    """Say it in lines, or as one JSON document in one line."""
    if is_json:
        _tell_json(ports, shell, needs_key=needs_key)
    else:
        for port in ports:
            _tell_lines(port, shell)
        some = "a key of yours" if needs_key else "any key that is not empty"
        shell.line(f"  clients show {some}; Ctrl-C ends it")
    shell.out.file.flush()


def _tell_lines(port: Port, shell: Shell) -> None:
    for one in port.served:
        origins = "; ".join(_origin(broker) for broker in one.brokers)
        shell.line(f"serving {one.dialect.name} at {one.url} over {origins}")
        for hint in one.hints:
            shell.line(f"  {hint}")
    if not port.served:
        origins = "; ".join(_origin(broker) for broker in port.brokers)
        shell.line(f"serving native at {port.url}{NATIVE} over {origins}")
    else:
        shell.line(f"  native protocol: {port.url}{NATIVE}")
    if port.has_page:
        shell.line(f"  a page to look at: {port.url}/")


def _tell_json(ports: tuple[Port, ...], shell: Shell, *, needs_key: bool) -> None:
    first = ports[0]
    main = first.served[0] if first.served else None
    url = f"{first.url}{NATIVE}" if main is None else main.url
    broker = first.brokers[0] if main is None else main.brokers[0]
    facts = {
        "dialect": "native" if main is None else main.dialect.name,
        "url": url,
        "pid": os.getpid(),
        "needs_key": needs_key,
        "hints": [] if main is None else list(main.hints),
        "providers": [_facts(each) for each in first.brokers],
        "listeners": [_port_facts(port) for port in ports],
    }
    shell.answer_json(broker, facts)


def _port_facts(port: Port) -> dict[str, object]:
    return {
        "url": port.url,
        "native": f"{port.url}{NATIVE}",
        "page": f"{port.url}/" if port.has_page else None,
        "dialects": [
            {
                "dialect": one.dialect.name,
                "url": one.url,
                "providers": [_facts(each) for each in one.brokers],
                "hints": list(one.hints),
            }
            for one in port.served
        ],
    }


def _facts(broker: Broker) -> dict[str, object]:
    return {
        "provider": broker.provider,
        "environment": broker.environment,
        "account_id": broker.account_id,
    }


def _origin(broker: Broker) -> str:
    return f"{broker.provider} ({broker.environment}), account {broker.account_id}"
