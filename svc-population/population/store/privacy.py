"""Schema and indexes of requests, marks, the audit trail and retention."""

from __future__ import annotations

from typing import Any, ClassVar

from mongoengine import BooleanField, DateTimeField, DictField, Document, IntField, ListField, StringField


class DataRequestDocument(Document):
    """Requests about one's own data."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "data_requests",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"name": "due", "fields": ["due_at", "_id"]},
            {"name": "resident", "fields": ["resident_id", "-submitted_at"]},
            {"name": "remind", "fields": ["remind_at"], "partialFilterExpression": {"remind_at": {"$type": "date"}}},
            {"name": "changed", "fields": ["changed_at"]},
        ],
    }
    data_request_id = StringField(primary_key=True)
    city = StringField(required=True)
    area_code = StringField(required=True)
    resident_id = StringField(required=True)
    kind = StringField(required=True)
    requester = StringField(required=True)
    state = StringField(required=True)
    submitted_at = DateTimeField(required=True)
    submitted_by = StringField(required=True)
    due_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    details = StringField()
    fields_ = ListField(StringField(), db_field="fields")
    extended = BooleanField()
    decision = StringField()
    reason = StringField()
    decided_at = DateTimeField()
    decided_by = StringField()
    duties = ListField(DictField())
    done = StringField()
    completed_at = DateTimeField()
    online = BooleanField()
    remind_at = DateTimeField()
    revision = IntField()


class PrivacyMarksDocument(Document):
    """What holds for a person's data, by the resident's id."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "privacy_marks",
        "auto_create_index": False,
        "strict": False,
        "indexes": [{"name": "changed", "fields": ["changed_at"]}],
    }
    resident_id = StringField(primary_key=True)
    area_code = StringField(required=True)
    changed_at = DateTimeField(required=True)
    restricted = BooleanField()
    reason = StringField()
    disputed = ListField(StringField())
    erased_at = DateTimeField()
    revision = IntField()


class ResidentAccountDocument(Document):
    """Whom an account of the portal acts for, by account."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "resident_accounts",
        "auto_create_index": False,
        "strict": False,
        "indexes": [{"name": "resident", "fields": ["resident_id"]}],
    }
    account = StringField(primary_key=True)
    resident_id = StringField(required=True)
    linked_by = StringField(required=True)
    linked_at = DateTimeField(required=True)


class AuditEntryDocument(Document):
    """The audit trail; `_id` is `<chain>:<number>`. Nothing but retention ever removes one, and never from the middle."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "audit_entries",
        "auto_create_index": False,
        "strict": False,
        "indexes": [
            {"name": "residents", "fields": ["residents", "-at"]},
            {"name": "subject", "fields": ["subject", "-at"]},
            {"name": "event", "fields": ["event", "-at"]},
            {"name": "at", "fields": ["-at"]},
        ],
    }
    entry_id = StringField(primary_key=True)
    chain = StringField(required=True)
    number = IntField(required=True)
    at = DateTimeField(required=True)
    event = StringField(required=True)
    subject = StringField(required=True)
    rpc = StringField(required=True)
    name = StringField()
    roles = ListField(StringField())
    area = StringField()
    department = StringField()
    purpose = StringField()
    residents = ListField(StringField())
    count = IntField()
    note = StringField()
    digest = StringField(required=True)


class RetentionRunDocument(Document):
    """What retention did: one document per rule and day."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "retention_runs",
        "auto_create_index": False,
        "strict": False,
        "indexes": [{"name": "day", "fields": ["-day", "_id"]}],
    }
    run_id = StringField(primary_key=True)
    rule = StringField(required=True)
    day = StringField(required=True)
    looked = IntField()
    done = IntField()
    last = StringField()
    started_at = DateTimeField()
    ended_at = DateTimeField()


class AuditAlertDocument(Document):
    """Alerts by event, window and subject."""

    meta: ClassVar[dict[str, Any]] = {
        "collection": "audit_alerts",
        "auto_create_index": False,
        "strict": False,
        "indexes": [{"name": "state", "fields": ["state", "-raised_at", "_id"]}],
    }
    alert_id = StringField(primary_key=True)
    event = StringField(required=True)
    subject = StringField(required=True)
    name = StringField()
    department = StringField()
    state = StringField(required=True)
    area_code = StringField()
    threshold = IntField()
    window_seconds = IntField()
    count = IntField()
    last_at = DateTimeField(required=True)
    raised_at = DateTimeField(required=True)
    changed_at = DateTimeField(required=True)
    review_by = DateTimeField()
    finding = StringField()
    closed_by = StringField()
    closed_at = DateTimeField()
    revision = IntField()


PRIVACY_DOCUMENTS: tuple[type[Document], ...] = (
    DataRequestDocument,
    PrivacyMarksDocument,
    ResidentAccountDocument,
    AuditEntryDocument,
    AuditAlertDocument,
    RetentionRunDocument,
)
