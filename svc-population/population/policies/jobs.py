"""The rules of jobs: who may start, approve, cancel and resume them, and when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta

from population.domain.job import CrossCheckSpec, ExportSpec, FeedKind, FeedSpec, Job, JobFile, JobKind, JobSource, JobState
from population.policies.requests import Actor
from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied

PART_BYTES = 1 << 20
"""Bytes of one part of a file."""
LARGEST_FILE = 4 << 30
FILE_KEPT = timedelta(days=30)
"""Inputs and outputs are there to be fetched, not to be kept (purpose P11: the result is; the report says what it was)."""
WORK_KEPT = timedelta(days=1)
"""How long what a failed or cancelled cross-check made is there to be resumed: it lies on a disk in clear."""
MOST_ATTEMPTS = 5
"""Workers that may die over one job before it is given up: its file may be what kills them."""

JOB_TRANSITIONS: dict[str, tuple[frozenset[JobState | None], JobState]] = {
    # verb: (states it starts from, None for nothing; state it leads to)
    "start": (frozenset({None}), JobState.QUEUED),
    "ask": (frozenset({None}), JobState.AWAITING_APPROVAL),
    "approve": (frozenset({JobState.AWAITING_APPROVAL}), JobState.QUEUED),
    "begin": (frozenset({JobState.QUEUED, JobState.RUNNING}), JobState.RUNNING),
    "withdraw": (frozenset({JobState.AWAITING_APPROVAL, JobState.QUEUED}), JobState.CANCELLED),
    "cancel": (frozenset({JobState.RUNNING}), JobState.CANCELLING),
    "stop": (frozenset({JobState.CANCELLING}), JobState.CANCELLED),
    "fail": (frozenset({JobState.RUNNING}), JobState.FAILED),
    "finish": (frozenset({JobState.RUNNING, JobState.CANCELLING}), JobState.FINISHED),
    "resume": (frozenset({JobState.CANCELLED, JobState.FAILED}), JobState.QUEUED),
}

FEED_PURPOSES: Mapping[FeedKind, frozenset[str]] = {
    FeedKind.RECORDS: frozenset({"P11"}),
    FeedKind.LIFE_EVENTS: frozenset({"P01", "P03", "P11"}),
}
"""Purposes a department's file may be for: those of its stream."""
OF_DEPARTMENTS_ONLY = frozenset({"DEPT_HANDLER", "DEPT_LEAD"})
"""Who has no other role works for a department and sees its jobs only."""

FOLDER_ROLES = frozenset({"DATA_STEWARD", "IMPORTER", "SERVICE"})
"""Who may name files of the service's folder: they have no owner, and operators lay them there for what they were told to bring in."""

EXPORTED = (
    *("resident_id", "area_code", "name", "sex", "birth_date", "id_doc_type", "id_number", "phone"),
    *("resident_type", "household_id", "household_relation", "match_flag", "created_at", "changed_at"),
)
"""Fields an export may have."""
SENSITIVE = frozenset({"id_number", "phone"})
"""Those of them that are sealed (sensitive_field.csv: encrypt)."""
PERSONAL = SENSITIVE | {"name", "sex", "birth_date", "id_doc_type", "household_relation"}
"""Those of them that are marked L2 and above, masked or not."""
ALONE = 500
"""Rows with personal fields one person may export without another's consent (audit_event.csv, AE05)."""
NOT_APPROVED = "NOT_APPROVED"
ROLL_PURPOSE = "P09"
"""The purpose of the roll of voters (purpose_code.csv)."""


def after(job: Job, verb: str) -> JobState:
    """Returns the state a verb leads to. Raises FailedPrecondition (JOB_STATE)."""
    sources, target = JOB_TRANSITIONS[verb]
    if job.state not in sources:
        raise FailedPrecondition(
            f"The job is {job.state.replace('_', ' ')}: it cannot {verb}.", reason="JOB_STATE", metadata={"state": job.state}
        )
    return target


def check_folder(source: JobSource, *, roles: Collection[str], field: str) -> None:
    """Raises PermissionDenied (FILE_OF_OTHERS) for a file of the service's folder unless the caller works with that folder.

    Whether the file is there stays unsaid. What somebody uploaded is theirs anyway.
    """
    if source.name and FOLDER_ROLES.isdisjoint(roles):
        raise PermissionDenied(
            "Upload the file: those in the service's folder are not yours.", reason="FILE_OF_OTHERS", field=field
        )


def check_source(source: JobSource | None, *, field: str) -> None:
    """Raises InvalidArgument (SOURCE_MISSING) unless one of the two places is named."""
    if source is None or bool(source.file_id) == bool(source.name):
        raise InvalidArgument(
            "Name either a file that was uploaded or one in the service's folder.", reason="SOURCE_MISSING", field=field
        )


def check_export(spec: ExportSpec, *, hidden: Collection[str], purpose: str) -> None:
    """Raises InvalidArgument (FIELD_UNKNOWN) for a field nobody may export, PermissionDenied (PURPOSE_NOT_ALLOWED) for one that the
    stated purpose shows to nobody in full (`hidden` are those), and for a roll of voters that is not for an election.
    """
    for index, name in enumerate(spec.fields):
        if name not in EXPORTED:
            raise InvalidArgument(
                f"These can be exported: {', '.join(EXPORTED)}.", reason="FIELD_UNKNOWN", field=f"export_spec.fields[{index}]"
            )

    if spec.election_day and purpose != ROLL_PURPOSE:
        raise PermissionDenied(
            f"The roll of voters is for {ROLL_PURPOSE}.", reason="PURPOSE_NOT_ALLOWED", metadata={"purposes": ROLL_PURPOSE}
        )
    beyond = [name for name in spec.fields if name in hidden]
    if spec.in_full and beyond:
        raise PermissionDenied(
            f"The stated purpose shows no {', '.join(beyond)} in full.",
            reason="PURPOSE_NOT_ALLOWED",
            field="export_spec.in_full",
        )


def needs_approval(spec: ExportSpec, *, rows: int = 0) -> bool:
    """Tells whether somebody else has to agree: to personal data in full (sensitivity_level.csv) and to many people (AE05)."""
    return not PERSONAL.isdisjoint(spec.fields) and (spec.in_full or rows > ALONE)


def lacks_approval(job: Job) -> bool:
    """Tells whether a job may not run before somebody else has agreed."""
    if job.export_spec is None or job.approved_by:
        return False
    return job.needs_approval or job.failure_reason == NOT_APPROVED or needs_approval(job.export_spec)


def check_release(job: Job, *, prefix: str, day: date) -> None:
    """Raises FailedPrecondition (NOT_APPROVED) unless two people released the roll of voters of this area and day (AE05)."""
    spec = job.export_spec
    ended = job.state in (JobState.CANCELLING, JobState.CANCELLED)
    released = spec is not None and spec.in_full and job.purpose == ROLL_PURPOSE and bool(job.approved_by) and not ended
    covered = spec is not None and prefix.startswith(spec.area_prefix or job.area_code)
    if spec is None or not released or not covered or spec.election_day != day.isoformat():
        raise FailedPrecondition("Nobody has released the roll of this area for this day.", reason=NOT_APPROVED)


def check_download(job: Job, *, by: Actor, purpose: str) -> None:
    """Raises PermissionDenied (PURPOSE_NOT_ALLOWED, EXPORT_OF_OTHERS).

    What a job wrote is for what it was started for. An export is for who asked for it, as its terms and the audit trail say.
    """
    if purpose != job.purpose:
        raise PermissionDenied(
            f"The job was started for {job.purpose}.", reason="PURPOSE_NOT_ALLOWED", metadata={"purposes": job.purpose}
        )
    if job.kind is JobKind.EXPORT and by.subject != job.started_by:
        raise PermissionDenied("The export was written for somebody else.", reason="EXPORT_OF_OTHERS")


def check_approver(job: Job, by: Actor) -> None:
    """Raises PermissionDenied (OWN_JOB): four eyes see what two overlook."""
    if by.subject == job.started_by:
        raise PermissionDenied("Somebody else has to approve this.", reason="OWN_JOB")


def check_cross_check(spec: CrossCheckSpec, *, left_is_register: bool, right_is_register: bool) -> None:
    """Raises InvalidArgument (SOURCE_MISSING, SOURCE_NOT_ASKED, MAPPING_INVALID) unless the files are those the rule compares."""
    files = [not left_is_register, not right_is_register]
    given = (("source", spec.source, spec.mapping), ("other", spec.other, spec.other_mapping))
    for (name, source, mapping), needed in zip(given, sorted(files, reverse=True), strict=True):
        field = f"cross_check_spec.{name}"
        if needed:
            check_source(source, field=field)
            _check_mapped(mapping, field=f"{field.removesuffix('source')}mapping" if name == "source" else f"{field}_mapping")
        elif source is not None:
            raise InvalidArgument("The rule compares no such file.", reason="SOURCE_NOT_ASKED", field=field)


def _check_mapped(mapping: str, *, field: str) -> None:
    if not mapping:
        raise InvalidArgument("Say which column is which field.", reason="MAPPING_INVALID", field=field)


def check_feed(spec: FeedSpec, *, department: str, purpose: str) -> None:
    """Raises PermissionDenied (DEPARTMENT_MISSING, PURPOSE_NOT_ALLOWED), InvalidArgument (SOURCE_MISSING)."""
    if not department:
        raise PermissionDenied("Only a department can send its records.", reason="DEPARTMENT_MISSING")
    if purpose not in FEED_PURPOSES[spec.kind]:
        allowed = ", ".join(sorted(FEED_PURPOSES[spec.kind]))
        raise PermissionDenied(
            f"This is told for {allowed} only.", reason="PURPOSE_NOT_ALLOWED", metadata={"purposes": allowed}
        )
    check_source(spec.source, field="feed_spec.source")


def may_see(job: Job, by: Actor) -> bool:
    """Tells whether somebody may know of a job of their area: staff of a department know of those of the department only."""
    return not OF_DEPARTMENTS_ONLY.issuperset(by.roles) or (bool(by.department) and job.department == by.department)


def check_append(file: JobFile, *, offset: int, length: int) -> None:
    """Raises FailedPrecondition (FILE_COMPLETE, OFFSET_WRONG) or InvalidArgument (FILE_TOO_LARGE, PART_SIZE)."""
    if file.complete:
        raise FailedPrecondition("The file is complete.", reason="FILE_COMPLETE")
    if offset != file.size:
        raise FailedPrecondition(
            f"{file.size} bytes have arrived.", reason="OFFSET_WRONG", field="offset", metadata={"offset": str(file.size)}
        )
    if offset + length > LARGEST_FILE:
        raise InvalidArgument("A file has at most 4 GiB.", reason="FILE_TOO_LARGE", field="data")


def check_part(*, length: int, last: bool) -> None:
    """Raises InvalidArgument (PART_SIZE): only the last part may be shorter, or bytes could not be found by their place."""
    if length != PART_BYTES and not last:
        raise InvalidArgument(f"Every part but the last has {PART_BYTES} bytes.", reason="PART_SIZE", field="data")
