"""What is put to the test: an adapter by its provider name, and the little the kit must be told."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from dragoman.dialects import Dialect
from dragoman.errors import ConfigurationError
from dragoman.models.checks import to_known_amount
from dragoman.registry import Registry, installed

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from dragoman.registry import CredentialField, Protocol, Provider

__all__ = [
    "GROUP",
    "Hosts",
    "Sample",
    "Subject",
    "evidence_beside",
    "find_subject",
    "known_subjects",
]

GROUP: Final = "dragoman.subjects"

MakeDialect: TypeAlias = Callable[[], Dialect]
VerifySignature: TypeAlias = Callable[
    [str, str, Mapping[str, str], bytes, Mapping[str, str]], str | None
]


@attrs.frozen(kw_only=True)
class Sample:
    """What the kit trades while it tests.

    `symbol` is listed by the subject; `at_venue` is what the mock venue lists it as, where the
    simulator spells it differently. `price` is about what it costs, in its quote currency: the
    simulated market stands there. `quantity` is an order's usual size, in units of the instrument,
    and four quarters of it are tradable sizes. `other` is a second symbol, likewise.
    """

    symbol: str
    at_venue: str | None = None
    price: Decimal = attrs.field(converter=to_known_amount)
    quantity: Decimal = attrs.field(converter=to_known_amount)
    other: str | None = None
    other_at_venue: str | None = None
    other_price: Decimal = attrs.field(default=Decimal(50), converter=to_known_amount)

    @property
    def names_at_venue(self) -> dict[str, str]:
        """What the mock venue lists each symbol as."""
        names = {self.symbol: self.at_venue or self.symbol}
        if self.other is not None:
            names[self.other] = self.other_at_venue or self.other
        return names


@attrs.frozen(kw_only=True)
class Hosts:
    """The venue's own hosts, by the subject's environments.

    `sandbox` are base URLs by endpoint role that recordings are made from; nothing else is ever
    recorded.
    """

    sandbox: Mapping[str, str] = attrs.field(factory=dict[str, str])


@attrs.frozen(kw_only=True)
class Subject:
    """An adapter under test, and its declaration.

    Args:
        name: What `dragoman conform` calls it.
        provider: The provider it is reached by, as `dragoman.connect` knows it.
        sample: What is traded.
        simulator: The protocol whose dialect, served over the mock venue, is the venue's double;
            or what makes that dialect. None: it runs on recorded evidence alone.
        is_polled: Whether its streams are made of reads, since the venue has none: documents of
            those reads bear them out then.
        in_process: For a provider without a wire: the options of `connect` that put it on a given
            mock venue. What is about bytes is N/A then.
        evidence: The folder of tables, cassettes, transcripts and `known.toml`.
        credentials: What the provider is given, where canaries made up by the kit would not do.
        options: The provider's own settings.
        hosts: The venue's hosts.
        volatile: Names of query and body fields that differ each time (a signature, a timestamp):
            they must be there, and are not compared.
        pseudonyms: Names of fields whose values are replaced by others of the same form when
            exchanges are kept.
        verify_signature: Says what is wrong with the signature of a request (method, raw path with
            query, headers, body, credentials), None if nothing is; None: the venue signs nothing.
        version: The adapter's version; None: that of its distribution.
        registry: Where the provider is found; None takes what is installed.
    """

    name: str
    provider: str
    sample: Sample
    simulator: str | MakeDialect | None = None
    is_polled: bool = False
    in_process: Callable[[object], Mapping[str, object]] | None = None
    evidence: Path | None = None
    credentials: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    options: Mapping[str, object] = attrs.field(factory=dict[str, object])
    hosts: Hosts = Hosts()
    volatile: tuple[str, ...] = ()
    pseudonyms: tuple[str, ...] = ()
    verify_signature: VerifySignature | None = None
    version: str | None = None
    registry: Registry | None = attrs.field(default=None, repr=False)

    @property
    def protocols(self) -> Registry:
        """Where the provider is found."""
        return self.registry or installed()

    @property
    def protocol(self) -> Protocol:
        """The protocol that the provider speaks.

        Raises:
            UnknownProviderError: It is not installed.
        """
        return self.protocols.find(self.provider)[0]

    @property
    def declared(self) -> Provider:
        """The provider, as its protocol declares it.

        Raises:
            UnknownProviderError: It is not installed.
        """
        return self.protocols.find(self.provider)[1]

    @property
    def package(self) -> str:
        """The Python package that the adapter is in, for checks of its source."""
        return self.protocol.adapter.partition(":")[0].partition(".")[0]

    def make_simulator(self) -> Dialect | None:
        """Make the dialect that stands in for the venue; None where there is none.

        Raises:
            ConfigurationError: The protocol named has no dialect.
        """
        if self.simulator is None:
            return None
        if callable(self.simulator):
            return self.simulator()
        return self.protocols.find_dialect(self.simulator).make_dialect()

    def canaries(self) -> dict[str, str]:
        """Return a credential for every field of the provider: its own, or one made up.

        Those that the kit makes up are told at sight wherever they turn up, and begin as the
        venue's keys of this environment do.
        """
        return {
            field.name: self.credentials.get(field.name) or self._canary(field)
            for field in self.declared.credentials
        }

    def _canary(self, field: CredentialField) -> str:
        environment = self.declared.environment
        start = next((head for head, of in field.kinds.items() if of is environment), "")
        name = "".join(one for one in field.name if one.isalnum())
        return f"{start}KITCANARY{name}0123456789abcdef"


def evidence_beside(file: str, *, name: str) -> Path | None:
    """Return the folder of a subject's evidence; None where it was not installed.

    Args:
        file: The `__file__` of the module that names the subject. Evidence is the folder `evidence`
            beside it or, in a checkout that keeps it apart, `cassettes/<name>` of the checkout.
        name: The subject's name.
    """
    here = Path(file).resolve().parent
    places = (here / "evidence", here.parents[1] / "cassettes" / name)
    return next((place for place in places if place.is_dir()), None)


def known_subjects() -> tuple[str, ...]:
    """Return the names of the subjects that are installed."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def find_subject(name: str) -> Subject:
    """Return a subject by its name, by a provider of its protocol, or by `module:attribute`.

    Raises:
        ConfigurationError: There is none of that name, or what is found is no `Subject`.
    """
    if ":" in name:
        module, _, attribute = name.partition(":")
        try:
            found: object = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise ConfigurationError(f"no subject {name!r}: {error}") from error
        return _as_subject(name, found)
    points = entry_points(group=GROUP)
    for point in points:
        if point.name == name:
            return _loaded(point)
    for subject in map(_loaded, points):
        if name in {provider.name for provider in subject.protocol.providers}:
            return attrs.evolve(subject, provider=name)
    known = ", ".join(known_subjects()) or "none"
    raise ConfigurationError(
        f"no subject {name!r}. Installed: {known}; or name it module:attribute"
    )


def _loaded(point: EntryPoint) -> Subject:
    try:
        found: object = point.load()
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"subject {point.name!r} can't be loaded: {error}") from error
    return _as_subject(point.name, found)


def _as_subject(name: str, found: object) -> Subject:
    if not isinstance(found, Subject):
        raise ConfigurationError(
            f"{name!r} is no dragoman_conformance.Subject: {type(found).__name__}"
        )
    return found
