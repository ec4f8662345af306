"""HMAC with keys that are used again."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from population.privacy.keyed_hash import keyed_digest


@pytest.mark.parametrize("name", ["sha256", "sha512"])
@given(key=st.binary(max_size=200), data=st.binary(max_size=300))
def test_it_is_the_hmac_of_the_standard_library(name: str, key: bytes, data: bytes) -> None:
    assert keyed_digest(key, data, name) == hmac.digest(key, data, name)
    assert keyed_digest(key, data, name) == hmac.digest(key, data, name)
