"""Jobs, their files in sealed parts, and the rows an import refused."""

from __future__ import annotations

from typing import Any, ClassVar

from mongoengine import (
    BinaryField,
    BooleanField,
    DateTimeField,
    DictField,
    Document,
    IntField,
    ListField,
    LongField,
    StringField,
)


class JobDocument(Document):
    """Jobs by id."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "jobs",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"name": "waiting", "fields": ["state", "created_at"]},
            {"name": "area", "fields": ["city", "-created_at", "_id"]},
        ],
    }
    job_id = StringField(primary_key=True)
    kind = StringField(required=True)
    state = StringField(required=True)
    city = StringField()
    area_code = StringField()
    purpose = StringField(required=True)
    legal_basis = StringField(required=True)
    started_by = StringField(required=True)
    approved_by = StringField()
    import_spec = DictField()
    export_spec = DictField()
    cross_check_spec = DictField()
    feed_spec = DictField()
    department = StringField()
    starter = StringField()
    needs_approval = BooleanField()
    stage = StringField()
    done = LongField()
    total = LongField()
    counts = ListField(DictField())
    outputs = ListField(DictField())
    failure_reason = StringField()
    failure = StringField()
    attempts = IntField()
    created_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    ended_at = DateTimeField()
    checkpoint = StringField()
    revision = IntField()


class JobFileDocument(Document):
    """Files by id; deleted when they expire."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "job_files",
        "auto_create_index": False,
        "strict": False,
        "indexes": [{"name": "expiry", "fields": ["expires_at"], "expireAfterSeconds": 0}],
    }
    file_id = StringField(primary_key=True)
    name = StringField(required=True)
    area_code = StringField()
    owner = StringField(required=True)
    size = LongField()
    complete = BooleanField()
    created_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    expires_at = DateTimeField(required=True)
    revision = IntField()


class JobPartDocument(Document):
    """Sealed parts of files by "<file>:<number>"; they go with their file."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "job_parts",
        "auto_create_index": False,
        "strict": False,
        "indexes": [{"name": "expiry", "fields": ["expires_at"], "expireAfterSeconds": 0}],
    }
    part = StringField(primary_key=True)
    data = BinaryField(required=True)
    expires_at = DateTimeField(required=True)


class RefusedRowDocument(Document):
    """Rows an import refused, by "<job>:<row>"; what is wrong with them, never what stands in them."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "refused_rows",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"name": "job", "fields": ["job_id", "row"]},
            {"name": "expiry", "fields": ["expires_at"], "expireAfterSeconds": 0},
        ],
    }
    refused = StringField(primary_key=True)
    job_id = StringField(required=True)
    row = LongField(required=True)
    field = StringField()
    reason = StringField(required=True)
    message = StringField()
    expires_at = DateTimeField(required=True)


JOB_DOCUMENTS: tuple[type[Document], ...] = (JobDocument, JobFileDocument, JobPartDocument, RefusedRowDocument)
