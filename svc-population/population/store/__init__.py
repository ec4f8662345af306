"""What lies in the database `binglian_population`: the schema and indexes of its collections, and the searches.

Documents are written by `svckit.store`/`svckit.batch` and read raw; mongoengine declares what they look like and keeps the indexes.
Identity and telephone numbers are there as ciphers with a blind index (`population.vault`), never in clear text.
"""

from __future__ import annotations

from mongoengine import Document

from population.store.bundles import FactBundleDocument
from population.store.dwellings import DWELLING_DOCUMENTS
from population.store.households import HouseholdDocument
from population.store.jobs import JOB_DOCUMENTS
from population.store.merges import MergeDocument
from population.store.privacy import PRIVACY_DOCUMENTS
from population.store.residents import ResidentDocument, household_sizes, is_lived_in, lives_in, with_numbers
from population.store.rows import OWNED_BY_STORE, in_area, known
from population.store.verification import VerificationOrderDocument, orders_of_cases
from population.store.work import WORK_DOCUMENTS, care_counts

__all__ = [
    "DOCUMENTS",
    "OWNED_BY_STORE",
    "FactBundleDocument",
    "HouseholdDocument",
    "MergeDocument",
    "ResidentDocument",
    "VerificationOrderDocument",
    "care_counts",
    "household_sizes",
    "in_area",
    "is_lived_in",
    "known",
    "lives_in",
    "orders_of_cases",
    "with_numbers",
]

DOCUMENTS: tuple[type[Document], ...] = (
    ResidentDocument,
    HouseholdDocument,
    MergeDocument,
    VerificationOrderDocument,
    FactBundleDocument,
    *JOB_DOCUMENTS,
    *WORK_DOCUMENTS,
    *PRIVACY_DOCUMENTS,
    *DWELLING_DOCUMENTS,
)
"""One a line: every part of the service adds its own."""
