"""Provider names resolve to what is installed, and nothing else is imported for that."""

import pytest

from dragoman import (
    ConfigurationError,
    Environment,
    Protocol,
    Provider,
    Registry,
    UnknownProviderError,
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


def test_the_mock_is_installed_and_keyless() -> None:
    _, provider = installed().find("mock")

    assert (Environment.SIMULATED, ()) == (provider.environment, provider.credentials)


def test_an_unknown_name_is_told_in_whole_sentences() -> None:
    with pytest.raises(UnknownProviderError) as raised:
        Registry([ACME]).find("z" * 1_000_000)

    message = raised.value.message
    assert f"no provider {'z' * 80!r}. Installed: acme-live, acme-paper" == message
