"""Page tokens: what was given out is taken back, anything else is refused by name."""

from __future__ import annotations

import base64
import datetime as dt

import pytest

from svckit.errors import InvalidArgument
from svckit.paging import after, token_of

KEYS = ("-changed_at", "_id")


def test_a_token_leads_behind_its_row() -> None:
    at = dt.datetime(2026, 3, 2, 1, 0, 0, 5000, tzinfo=dt.UTC)
    behind = after(token_of({"_id": "a", "changed_at": at}, KEYS), KEYS)
    assert behind == {"$or": [{"changed_at": {"$lt": at}}, {"changed_at": at, "_id": {"$gt": "a"}}]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[1]",
        "[1,2,3]",
        '["a",["b"]]',
        '["a",{"$gt":1}]',
        '["a",{"ms":"x"}]',
        '["a",true',
        f"[1,{2**64}]",
        f"[1,{10**30}]",
    ],
)
def test_what_was_not_given_out_is_refused(text: str) -> None:
    token = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") or "!"
    with pytest.raises(InvalidArgument) as refused:
        after(token, KEYS)
    assert (refused.value.reason, refused.value.field) == ("PAGE_TOKEN_INVALID", "page_token")
