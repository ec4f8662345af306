"""What retention leaves of a ledger of fields (P11, 核验结果1年). Pure: conditions and updates of MongoDB.

The value that counts stays with who said it, when, from which source and whether somebody verified it: that is the register. What other
sources said, what counted before and the photographs it was proved with go a year after.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

Raw = dict[str, Any]


def outdated(limit: datetime) -> Raw:
    """Returns the condition on ledgers of which something is older than `limit`.

    Not while somebody is asked to look or to decide: they need what was said.
    """
    proved = {"$or": [{"accepted.evidence.0": {"$exists": True}}, {"overridden.0": {"$exists": True}}]}
    old = {"$lt": limit}
    return {
        "check": None,
        "conflicts": {"$not": {"$gt": 0}},
        "$or": [{"entries.observations.at": old}, {"entries": {"$elemMatch": {"accepted.at": old, **proved}}}],
    }


def forgetting(limit: datetime) -> list[Raw]:
    """Returns the update that takes out of ledgers what is older than `limit`."""
    heard = {"input": {"$ifNull": ["$$entry.observations", []]}, "as": "one", "cond": {"$gte": ["$$one.at", limit]}}
    # What was overridden was so when the present value came.
    bare: Raw = {"accepted": {"$mergeObjects": ["$$entry.accepted", {"evidence": []}]}, "overridden": []}
    is_old = {"$lt": ["$$entry.accepted.at", limit]}
    left = {"$mergeObjects": ["$$entry", {"observations": {"$filter": heard}}, {"$cond": [is_old, bare, {}]}]}
    entries = {"$map": {"input": "$entries", "as": "entry", "in": left}}
    return [{"$set": {"entries": entries, "revision": {"$add": ["$revision", 1]}}}]
