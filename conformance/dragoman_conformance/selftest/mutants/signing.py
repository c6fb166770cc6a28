"""Bugs in how requests are signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from dragoman.times import SECOND_NS

from ...references.wharf import signing
from ...references.wharf.rest import WharfRest
from ...references.wharf.signing import Nonces, WharfSigner
from ..grafts import around
from ..mutant import mutant

if TYPE_CHECKING:
    from ..mutant import Plant


@mutant("M360", of="wharf", kills=("SIG-010",))
def does_not_sign_the_body(plant: Plant) -> None:
    """Signs every request as if it had no body."""
    plant.replace(
        signing,
        "payload_of",
        lambda true: (
            lambda method, target, timestamp, nonce, _body=b"": true(
                method, target, timestamp, nonce
            )
        ),
    )


@mutant("M54", of="wharf", kills=("SIG-020",))
def signs_the_query_as_it_is_not_sent(plant: Plant) -> None:
    """Signs the query sorted and without its escapes."""

    def plain(true: Any) -> Any:
        def target_of(url: str) -> str:
            path, _, query = true(url).partition("?")
            parts = "&".join(sorted(unquote(query).split("&")))
            return f"{path}?{parts}" if query else path

        return target_of

    plant.replace(signing, "target_of", plain)


@mutant("M361", of="wharf", kills=("SIG-020",))
def signs_the_path_without_its_escapes(plant: Plant) -> None:
    """Signs the path as it was before it was escaped."""
    plant.replace(signing, "target_of", lambda true: lambda url: unquote(true(url)))


@mutant("M362", of="wharf", kills=("SIG-030",))
def trusts_its_own_clock(plant: Plant) -> None:
    """Dates its requests by the machine's clock."""

    async def nothing(true: Any, self: WharfRest) -> None:
        del true, self

    around(plant, WharfRest, "learn_time", nothing)
    around(plant, WharfRest, "check_time", nothing)


@mutant("M55", of="wharf", kills=("SIG-040",))
def takes_the_second_for_a_nonce(plant: Plant) -> None:
    """Takes the time in seconds for a nonce, which is the same for all requests of a second."""
    plant.replace(Nonces, "next", lambda _: lambda _self, now_ns: now_ns // SECOND_NS * SECOND_NS)


@mutant("M363", of="wharf", kills=("SIG-050",))
def keeps_a_signature(plant: Plant) -> None:
    """Signs what is asked once more as it was signed before."""

    def kept(true: Any) -> Any:
        def proof(self: Any, method: str, target: str, body: bytes = b"") -> Any:
            known = self.__dict__.setdefault("proofs", {}) if hasattr(self, "__dict__") else {}
            if method == "GET" and (method, target) not in known:
                known[method, target] = true(self, method, target, body)
            return known.get((method, target)) or true(self, method, target, body)

        return proof

    plant.replace(WharfSigner, "proof", kept)
