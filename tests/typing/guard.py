"""The network guard, as the type checker of somebody who uses it reads it."""

from typing import assert_type

from dragoman_conformance.guard import NetworkForbidden, NetworkGuard

with NetworkGuard() as guard:
    assert_type(guard, NetworkGuard)
    assert_type(guard.attempts, tuple[str, ...])

try:
    assert_type(guard.__enter__(), NetworkGuard)
except NetworkForbidden as refusal:
    assert_type(refusal, NetworkForbidden)
