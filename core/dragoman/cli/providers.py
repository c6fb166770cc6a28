"""Commands about what is installed: providers, and what each can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import attrs
from cyclopts import Parameter

from dragoman.adapter import AdapterContext
from dragoman.capabilities import Capabilities, ExitPart, OrderFeature
from dragoman.config import resolve_endpoints
from dragoman.models import Contingency, Support

from .connection_options import ConnectionOptions, options_of, pairs, provider_name
from .exit_codes import ExitCode
from .output import Sheet, json_text
from .shell import ShellParameter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman.registry import Provider, Registry

__all__ = ["capabilities", "providers"]

_DEFAULT = ConnectionOptions()


def providers(*, options: ConnectionOptions = _DEFAULT, shell: ShellParameter) -> int:
    """List every provider that is installed, and the environment variables its keys come from."""
    found = shell.find_registry().providers
    if options.json:
        shell.line(json_text({"providers": [_plain(provider) for provider in found]}))
        return ExitCode.DONE
    rows = [
        (
            provider.name,
            provider.environment,
            provider.title,
            ", ".join(field.variables[0] for field in provider.credentials if field.variables)
            or "none",
        )
        for provider in found
    ]
    shell.sheet(Sheet.of("PROVIDER ENVIRONMENT TITLE KEYS", rows, empty="none is installed"))
    return ExitCode.DONE


def capabilities(
    name: Annotated[str | None, Parameter(metavar="PROVIDER", help="As --provider.")] = None,
    /,
    *,
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Show what a provider can do. Needs no keys and no network."""
    chosen = provider_name(name or options.provider, options.profile)
    registry = shell.find_registry()
    provider, found = _declared(registry, chosen, options)
    if options.json:
        facts = {"provider": provider.name, "environment": provider.environment}
        shell.line(json_text({**facts, "capabilities": _matrix(found)}))
        return ExitCode.DONE
    shell.line(f"{provider.name} ({provider.environment}): {provider.title}")
    shell.line(f"source: {found.source.document}, checked {found.source.checked_on}")
    shell.line()
    shell.sheet(Sheet.of("TYPE TIMES KINDS", _order_rows(found)))
    shell.line()
    shell.sheet(Sheet.of("FEATURE SUPPORT", _feature_rows(found)))
    shell.line()
    for title, names in (("reads", found.reads), ("streams", found.streams)):
        shell.line(f"{title}: {' '.join(sorted(names)) or 'none'}")
    shell.line(f"replace: {' '.join(sorted(found.replace.fields)) or 'none'}")
    return ExitCode.DONE


def _declared(
    registry: Registry, name: str, options: ConnectionOptions
) -> tuple[Provider, Capabilities]:
    protocol, provider = registry.find(name)
    endpoints = pairs("--endpoint", options.endpoint)
    context = AdapterContext(
        provider=provider.name,
        environment=provider.environment,
        endpoints=resolve_endpoints(protocol, provider, endpoints, options.allow_host),
        options=options_of(provider, pairs("--option", options.option)),
    )
    return provider, protocol.make_adapter(context).capabilities


def _plain(provider: Provider) -> dict[str, object]:
    return {
        "name": provider.name,
        "environment": provider.environment,
        "title": provider.title,
        "description": provider.description,
        "endpoints": {**provider.endpoints},
        "credentials": [
            {
                "name": field.name,
                "variables": [*field.variables],
                "is_required": field.is_required,
                "description": field.description,
            }
            for field in provider.credentials
        ],
        "options": [
            {"name": field.name, "description": field.description} for field in provider.options
        ],
    }


def _matrix(found: Capabilities) -> dict[str, object]:
    """Return every public field of a declaration."""
    names = [name for name in attrs.fields_dict(Capabilities) if not name.startswith("_")]
    return {name: getattr(found, name) for name in names}


def _order_rows(found: Capabilities) -> Iterator[tuple[str, str, str]]:
    """Yield order types with their times in force, and the kinds of instruments that have both.

    `*` marks what this library does on top of the venue.
    """
    times: dict[tuple[str, str], list[str]] = {}
    for cell in found.orders:
        if cell.support is not Support.NONE:
            mark = "" if cell.support is Support.NATIVE else "*"
            names = times.setdefault((cell.order_type, cell.kind), [])
            names.append(f"{cell.time_in_force}{mark}")
    kinds: dict[tuple[str, str], list[str]] = {}
    for (order_type, kind), names in times.items():
        kinds.setdefault((order_type, " ".join(names)), []).append(kind)
    for (order_type, all_times), of_kinds in kinds.items():
        yield order_type, all_times, " ".join(of_kinds)


def _feature_rows(found: Capabilities) -> list[tuple[str, str]]:
    rows = [(str(feature), str(found.feature(feature))) for feature in OrderFeature]
    rows += [(f"exit {part}", str(found.exit(part))) for part in ExitPart]
    rows += [(f"list {kind}", str(found.list(kind))) for kind in Contingency]
    return rows
