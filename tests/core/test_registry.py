"""Provider names resolve to what is installed, and nothing else is imported for that."""

import attrs
import pytest

from dragoman import (
    ConfigurationError,
    Environment,
    Protocol,
    Provider,
    Registry,
    UnknownProviderError,
    UnsupportedError,
)
from dragoman.adapter import AdapterContext
from dragoman.registry import installed


def protocol(name: str, *environments: str) -> Protocol:
    return Protocol(
        name=name,
        title=name.title(),
        providers=tuple(
            Provider(name=f"{name}-{one}", environment=Environment[one.upper()], title=one)
            for one in environments
        ),
        adapter=f"dragoman_{name}.adapter:Adapter",
    )


ACME = protocol("acme", "paper", "live")


def test_a_provider_is_found_with_its_protocol() -> None:
    found = Registry([ACME, protocol("other", "paper")]).find("acme-live")

    assert (ACME, ACME.providers[1]) == found


def test_a_bare_protocol_name_names_its_environments() -> None:
    with pytest.raises(UnknownProviderError, match=r"choose one: acme-live, acme-paper"):
        Registry([ACME]).find("acme")


def test_a_misspelled_name_is_answered_with_near_ones() -> None:
    with pytest.raises(UnknownProviderError, match=r"did you mean acme-paper"):
        Registry([ACME]).find("acme-papr")


def test_a_name_unlike_any_is_answered_with_what_is_installed() -> None:
    with pytest.raises(UnknownProviderError, match=r"Installed: acme-live, acme-paper"):
        Registry([ACME]).find("zzz")


def test_two_protocols_can_not_offer_one_name() -> None:
    with pytest.raises(ConfigurationError, match=r"offered by both 'acme' and 'acme'"):
        Registry([ACME, protocol("acme", "paper")])


def test_an_adapter_that_can_not_be_loaded_is_a_configuration_error() -> None:
    context = AdapterContext(provider="acme-paper", environment=Environment.PAPER)

    with pytest.raises(ConfigurationError, match=r"dragoman_acme"):
        ACME.make_adapter(context)


TOY = attrs.evolve(protocol("toy"), dialect="tests.core.dialects.toy:ToyDialect")


def test_a_dialect_is_found_by_its_protocols_name_and_made_anew_each_time() -> None:
    found = Registry([ACME, TOY]).find_dialect("toy")

    made = found.make_dialect()
    assert (TOY, "toy") == (found, made.name)
    assert made is not found.make_dialect()


@pytest.mark.parametrize("name", ["acme", "acme-live", "zzz", ""])
def test_a_protocol_that_is_not_served_is_answered_with_those_that_are(name: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Registry([ACME, TOY]).find_dialect(name)

    assert f"no dialect {name!r}. Installed: toy" == raised.value.message


def test_where_nothing_is_served_that_is_said() -> None:
    with pytest.raises(ConfigurationError, match=r"Installed: none"):
        Registry([ACME]).find_dialect("toy")


def test_a_protocol_without_a_dialect_makes_none() -> None:
    with pytest.raises(ConfigurationError, match=r"'acme' has no dialect"):
        ACME.make_dialect()


def test_a_dialect_that_can_not_be_loaded_is_a_configuration_error() -> None:
    broken = attrs.evolve(ACME, dialect="dragoman_acme.dialect:AcmeDialect")

    with pytest.raises(ConfigurationError, match=r"the dialect of protocol 'acme'"):
        broken.make_dialect()


@pytest.mark.parametrize("name", ["acme", "acme-live"])
def test_a_protocol_is_found_by_its_name_and_by_its_providers(name: str) -> None:
    assert ACME == Registry([ACME, TOY]).find_protocol(name)


def test_a_protocol_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(UnknownProviderError, match=r"no protocol 'zzz'\. Installed: acme, toy"):
        Registry([ACME, TOY]).find_protocol("zzz")


def test_a_table_of_payloads_is_loaded_when_it_is_wanted() -> None:
    told = attrs.evolve(ACME, payloads="tests.core.test_decoding:TABLE")

    assert "quote" == told.load_payloads().kinds[0].name


def test_a_protocol_without_payloads_has_nothing_to_decode() -> None:
    with pytest.raises(UnsupportedError, match="Acme has no payloads"):
        ACME.load_payloads()


def test_a_table_that_can_not_be_loaded_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="payload table of protocol 'acme'"):
        attrs.evolve(ACME, payloads="tests.nowhere:TABLE").load_payloads()


def test_the_mock_is_installed_and_keyless() -> None:
    _, provider = installed().find("mock")

    assert (Environment.SIMULATED, ()) == (provider.environment, provider.credentials)


def test_an_unknown_name_is_told_in_whole_sentences() -> None:
    with pytest.raises(UnknownProviderError) as raised:
        Registry([ACME]).find("z" * 1_000_000)

    message = raised.value.message
    assert f"no provider {'z' * 80!r}. Installed: acme-live, acme-paper" == message
