"""What this package adds to the command line: `dragoman serve` and `dragoman keys`."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Final

import attrs
from cyclopts import App, Parameter

from dragoman.cli.connection_options import ConnectionOptions, pairs, provider_name
from dragoman.cli.exit_codes import ExitCode
from dragoman.cli.output import json_text
from dragoman.cli.shell import Shell, ShellParameter
from dragoman.config import config_path, load_profiles

from .config import (
    DialectSettings,
    GatewaySettings,
    ListenerSettings,
    ProviderSettings,
    merged,
)

__all__ = ["keys", "serve"]

_DEFAULT: Final = ConnectionOptions()
_CONFIG: Final = "DRAGOMAN_SERVE_CONFIG"


async def serve(
    *,
    dialect: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            show_default=False,
            help="A protocol to speak, such as alpaca; may be repeated. None: the native one only.",
        ),
    ] = (),
    port: Annotated[
        int | None, Parameter(help="The port; 0 takes a free one.  [default: 8080]")
    ] = None,
    host: Annotated[
        str | None, Parameter(help="The address to listen on.  [default: 127.0.0.1]")
    ] = None,
    config: Annotated[
        Path | None,
        Parameter(
            metavar="FILE", help="Providers, ports, keys and limits; else DRAGOMAN_SERVE_CONFIG."
        ),
    ] = None,
    access: Annotated[
        Path | None,
        Parameter(
            metavar="FILE", help="Keys that clients must show; else those of DRAGOMAN_SERVE_KEYS."
        ),
    ] = None,
    page: Annotated[
        bool | None, Parameter(show_default=False, help="Whether GET / shows a page.")
    ] = None,
    yes: Annotated[
        bool,
        Parameter(
            negative="", show_default=False, help="Do not ask before trading with real money."
        ),
    ] = False,
    options: ConnectionOptions = _DEFAULT,
    shell: ShellParameter,
) -> int:
    """Serve providers to programs that speak other protocols, until Ctrl-C or SIGTERM.

    Below /native our own protocol is spoken, and GET / shows a page. Without keys only programs on
    this machine can reach it, and any credential that is not empty will do; with keys, clients show
    them where their protocol has its own. Real money, and other machines, are served with keys
    only. Flags come before environment variables, and those before the file.

    The mock venue is the one that is kept; until this ends, other commands look at a copy of it.
    """
    from .serve import Serving  # noqa: PLC0415 - loads the library of the server
    from .serve_memory import out_of_collection  # noqa: PLC0415
    from .serve_signals import told_to_end  # noqa: PLC0415
    from .serve_telling import tell  # noqa: PLC0415

    ports = ListenerSettings(
        host=host,
        port=port,
        dialects=tuple(DialectSettings(name=name) for name in dialect),
        page=page,
    )
    settings = _settings(_of_flags(options, ports, access), config, shell)
    _set_up_log(settings)
    serving = Serving(settings=settings, shell=shell, yes=yes)
    serving.check()
    with told_to_end() as end:
        try:
            async with AsyncExitStack() as stack:
                opened = await serving.open(stack)
                needs_key = settings.keys is not None
                with out_of_collection():
                    tell(opened, shell, needs_key=needs_key, is_json=options.json)
                    await end.wait()
        except asyncio.CancelledError:
            if not end.was_told or end.is_awaited:
                raise  # by somebody else, or told once more while it ends
            shell.note("dragoman: interrupted before it served")
            return ExitCode.INTERRUPTED
    return ExitCode.DONE


def _of_flags(
    options: ConnectionOptions, ports: ListenerSettings, access: Path | None
) -> GatewaySettings:
    """Return what the command line says, and nothing else."""
    from .keys import load_keys  # noqa: PLC0415 - loads the library of the server

    provider = options.provider
    if provider is None and options.profile is not None:
        provider = provider_name(None, options.profile)
    given = ProviderSettings(
        provider=provider,
        profile=options.profile,
        account_id=options.account,
        endpoints=pairs("--endpoint", options.endpoint),
        allow_hosts=options.allow_host,
        options=pairs("--option", options.option),
    )
    return GatewaySettings(
        providers=() if given == ProviderSettings() else (given,),
        listeners=() if ports == ListenerSettings() else (ports,),
        keys=None if access is None else load_keys(access),
        keys_from="" if access is None else str(access),
        state_dir=options.state_dir,
    )


def _settings(flags: GatewaySettings, file: Path | None, shell: Shell) -> GatewaySettings:
    """Return what flags, environment and file say together."""
    from .config_environment import environment_settings, unheeded  # noqa: PLC0415 - as above
    from .config_file import load_settings  # noqa: PLC0415

    for name in unheeded(os.environ):
        shell.note(f"dragoman: {name} is set and changes nothing here")
    chosen = next((one.provider for one in flags.providers if one.profile is None), None)
    registry = shell.find_registry()
    origins = [flags, environment_settings(os.environ, registry, chosen=chosen)]
    named = os.environ.get(_CONFIG, "").strip()
    if file is None and named:
        file = Path(named)
    if file is not None:
        origins.append(load_settings(file.expanduser()))
    return _with_profiles(merged(origins))


def _with_profiles(settings: GatewaySettings) -> GatewaySettings:
    """Let a profile name the provider where nothing else does."""
    profiles = load_profiles(config_path()) if settings.providers else {}
    return attrs.evolve(
        settings,
        providers=tuple(
            attrs.evolve(one, provider=profiles[one.profile].provider)
            if one.provider is None and one.profile in profiles
            else one
            for one in settings.providers
        ),
    )


def _set_up_log(settings: GatewaySettings) -> None:
    """Write a log: as it was asked for, else warnings alone, unless somebody has set one up."""
    if settings.log_format is None and settings.log_level is None and logging.root.handlers:
        return
    from .log import set_up_logs  # noqa: PLC0415 - only where it is used

    level = (settings.log_level or "warning").upper()
    set_up_logs(level, stream=sys.stderr, is_json=settings.log_format == "json")


keys: Final = App(
    name="keys",
    help="The keys that clients of `dragoman serve` show.",
    help_format="plaintext",
)


@keys.command(name="new")
def new_key(
    name: Annotated[str, Parameter(metavar="NAME", help="What the key is called: its id.")],
    /,
    *,
    access: Annotated[
        Path, Parameter(metavar="FILE", help="The file that `dragoman serve --access` reads.")
    ],
    scopes: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            show_default=False,
            help="What it opens: read, trade, halt; may be repeated. Left out: all of it.",
        ),
    ] = (),
    provider: Annotated[
        str | None, Parameter(help="The provider it opens; left out: whichever is served.")
    ] = None,
    account: Annotated[
        str | None, Parameter(help="The account it opens; left out: the one that is served.")
    ] = None,
    json: Annotated[
        bool, Parameter(negative="", show_default=False, help="Answer with JSON.")
    ] = False,
    shell: ShellParameter,
) -> int:
    """Make a key: show its secret this once, and keep a salted hash of it in the file."""
    from .key_file import add_key, scopes_of  # noqa: PLC0415 - loads the library of the server
    from .keys import make_key  # noqa: PLC0415

    made = make_key(name, scopes=scopes_of(scopes), provider=provider, account_id=account)
    add_key(access, made.key)
    shown = made.secret.reveal()
    words = sorted(str(scope) for scope in made.key.scopes)
    if json:
        facts = {"key_id": name, "secret": shown, "scopes": words, "file": str(access)}
        shell.line(json_text(facts))
        return ExitCode.DONE
    shell.line(f"id      {name}")
    shell.line(f"secret  {shown}")
    shell.note(
        f"dragoman: {access} keeps a hash of it, for {', '.join(words)}; the secret is shown this "
        "once"
    )
    return ExitCode.DONE
