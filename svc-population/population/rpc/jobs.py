"""JobService: starts, shows and steers jobs; the work itself is done by other processes (population.jobs.runner)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import PurePath
from typing import Any

import msgspec
from binglian.population.v1 import job_pb2, job_service_pb2_grpc
from binglian.population.v1 import job_service_pb2 as pb
from binglian.type.v1 import file_pb2
from pymongo.asynchronous.database import AsyncDatabase

from population.crosscheck.rules import Rule, Side, check_orders, check_purpose, rule_of, rules
from population.domain.job import CrossCheckSpec, ExportSpec, FeedSpec, ImportSpec, Job, JobFile, JobKind, JobSource, JobState
from population.exports import xlsform
from population.exports.condition import exported
from population.exports.shown import hidden_from
from population.feeds.rows import mapping_of
from population.imports.mapping import read_mapping
from population.imports.work import check_import
from population.jobs.parts import part_document, part_id
from population.operations import jobs as operations
from population.policies import jobs as policies
from population.privacy import audit
from population.privacy.screening import check_rule
from population.privacy.trail import Trail
from population.store.rows import in_area
from population.vault import Vault
from svckit.access import CITY_DIGITS, Caller, check_area, current_caller, may_act_in
from svckit.documents import command_of, utc_now
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.paging import page_of
from svckit.store import Repository

_log = logging.getLogger(__name__)
DEFAULT_PAGE = 50
LOOK_SECONDS = 0.5
"""How often a stream looks at its job: a person watches a bar grow."""
_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_ENDED = (JobState.CANCELLED.value, JobState.FAILED.value, JobState.FINISHED.value)


class JobServicer(job_service_pb2_grpc.JobServiceServicer):
    """Jobs of the caller's area."""

    def __init__(
        self,
        *,
        jobs: Repository[Job],
        files: Repository[JobFile],
        database: AsyncDatabase[dict[str, Any]],
        vault: Vault,
        trail: Trail,
    ) -> None:
        self._jobs = jobs
        self._files = files
        self._parts = database["job_parts"]
        self._residents = database["residents"]
        self._vault = vault
        self._trail = trail

    # ------------------------------------------------------------------------------------------- files

    async def CreateJobFile(self, request: pb.CreateJobFileRequest, context: object) -> pb.CreateJobFileResponse:
        """See the proto."""
        caller = current_caller()
        file = operations.create_file(
            file_id=new_id(), name=request.name, area_code=caller.area, owner=caller.subject, now=utc_now()
        )
        file = await self._files.create(file.file_id, file, (), command=command_of(request, caller))
        return pb.CreateJobFileResponse(file=to_message(job_pb2.JobFile, file))

    async def AppendJobFile(self, request: pb.AppendJobFileRequest, context: object) -> pb.AppendJobFileResponse:
        """See the proto."""
        caller, now, length = current_caller(), utc_now(), len(request.data)
        file = await self._own_file(request.file_id, caller)
        policies.check_part(length=length, last=request.last)
        if request.offset == file.size and not file.complete and length:
            part = part_document(
                self._vault,
                file_id=file.file_id,
                number=request.offset // policies.PART_BYTES,
                data=request.data,
                expires_at=file.expires_at,
            )
            # Before it is counted: what is counted is there.
            await self._parts.replace_one({"_id": part["_id"]}, part, upsert=True)

        def decide(file: JobFile) -> Any:
            return operations.append_part(file, offset=request.offset, length=length, last=request.last, now=now)

        file = await self._files.change(request.file_id, decide, command=command_of(request, caller))
        return pb.AppendJobFileResponse(file=to_message(job_pb2.JobFile, file))

    async def _own_file(self, file_id: str, caller: Caller) -> JobFile:
        file = await self._files.get(file_id)
        if file.owner != caller.subject and not (caller.has_role("DATA_STEWARD") and may_act_in(caller, file.area_code)):
            raise self._files.form.not_found(file_id)
        return file

    # ------------------------------------------------------------------------------------------- starting

    async def StartImport(self, request: pb.StartImportRequest, context: object) -> pb.StartImportResponse:
        """See the proto."""
        spec = msgspec.convert(to_fields(request.import_spec), ImportSpec)
        check_import(spec)
        await self._check_source(spec.source, field="import_spec.source")
        return pb.StartImportResponse(job=await self._start(request, JobKind.IMPORT, import_spec=spec))

    async def StartExport(self, request: pb.StartExportRequest, context: object) -> pb.StartExportResponse:
        """See the proto."""
        spec = msgspec.convert(to_fields(request.export_spec), ExportSpec)
        caller = current_caller()
        policies.check_export(spec, hidden=hidden_from(caller.purpose, spec.fields), purpose=caller.purpose)
        if spec.area_prefix:
            check_area(caller, spec.area_prefix)
        query = exported(own=caller.area, spec=spec)
        rows = await self._residents.count_documents(query, limit=policies.ALONE + 1)
        asks = policies.needs_approval(spec, rows=rows)
        return pb.StartExportResponse(job=await self._start(request, JobKind.EXPORT, asks=asks, export_spec=spec))

    async def StartCrossCheck(self, request: pb.StartCrossCheckRequest, context: object) -> pb.StartCrossCheckResponse:
        """See the proto."""
        spec = msgspec.convert(to_fields(request.cross_check_spec), CrossCheckSpec)
        rule = rule_of(spec)
        check_purpose(rule, purpose=current_caller().purpose)
        check_orders(rule, spec)
        policies.check_cross_check(
            spec, left_is_register=rule.left is not Side.FILE, right_is_register=rule.right is not Side.FILE
        )
        check_rule(_texts_of(request, spec))
        self._check_mappings(spec, rule)
        for name, source in (("source", spec.source), ("other", spec.other)):
            if source is not None:
                await self._check_source(source, field=f"cross_check_spec.{name}")
        if spec.area_prefix:
            check_area(current_caller(), spec.area_prefix)
        return pb.StartCrossCheckResponse(job=await self._start(request, JobKind.CROSS_CHECK, cross_check_spec=spec))

    def _check_mappings(self, spec: CrossCheckSpec, rule: Rule) -> None:
        """Raises InvalidArgument for a mapping the rule does not allow, before anything is queued."""
        for name, text in (("mapping", spec.mapping), ("other_mapping", spec.other_mapping)):
            if text:
                path = f"cross_check_spec.{name}"
                mapping = read_mapping(text, allowed=rule.mappable, path=path)
                if rule.key not in mapping.fields and not set(rule.linked) & mapping.fields:
                    raise InvalidArgument(f"Nothing could be compared without {rule.key}.", reason="FIELD_MISSING", field=path)

    async def _check_source(self, source: JobSource, *, field: str) -> None:
        """Raises InvalidArgument (SOURCE_MISSING), PermissionDenied (FILE_OF_OTHERS), NotFound, FailedPrecondition (FILE_INCOMPLETE)."""
        policies.check_source(source, field=field)
        policies.check_folder(source, roles=current_caller().roles, field=f"{field}.name")
        if source.file_id:
            file = await self._own_file(source.file_id, current_caller())
            if not file.complete:
                raise FailedPrecondition("The file has not arrived as a whole.", reason="FILE_INCOMPLETE")

    async def StartFeed(self, request: pb.StartFeedRequest, context: object) -> pb.StartFeedResponse:
        """See the proto."""
        caller, spec = current_caller(), msgspec.convert(to_fields(request.feed_spec), FeedSpec)
        policies.check_feed(spec, department=caller.department, purpose=caller.purpose)
        mapping_of(spec.kind, spec.mapping)
        await self._check_source(spec.source, field="feed_spec.source")
        return pb.StartFeedResponse(job=await self._start(request, JobKind.FEED, feed_spec=spec))

    async def _start(self, request: Any, kind: JobKind, *, asks: bool = False, **spec: Any) -> job_pb2.Job:
        caller, now = current_caller(), utc_now()
        job = Job(
            job_id=new_id(),
            kind=kind,
            state=policies.JOB_TRANSITIONS["ask" if asks else "start"][1],
            city=caller.area[:CITY_DIGITS],
            area_code=caller.area,
            purpose=caller.purpose,
            legal_basis=request.legal_basis,
            started_by=caller.subject,
            department=caller.department,
            starter=caller.name,
            needs_approval=asks,
            created_at=now,
            changed_at=now,
            **spec,
        )
        job = await self._jobs.create(job.job_id, job, (), command=command_of(request, caller))
        _log.info("%s starts %s %s for %s", caller.subject, kind, job.job_id, caller.purpose)
        return _shown(job)

    # ------------------------------------------------------------------------------------------- steering

    async def ApproveJob(self, request: pb.ApproveJobRequest, context: object) -> pb.ApproveJobResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()
        job = await self._change(request, lambda job: operations.approve_job(job, by=caller, now=now))
        _log.info("%s approves job %s", caller.subject, job.job_id)
        return pb.ApproveJobResponse(job=_shown(job))

    async def CancelJob(self, request: pb.CancelJobRequest, context: object) -> pb.CancelJobResponse:
        """See the proto."""
        now = utc_now()
        return pb.CancelJobResponse(job=_shown(await self._change(request, lambda job: operations.cancel_job(job, now=now))))

    async def ResumeJob(self, request: pb.ResumeJobRequest, context: object) -> pb.ResumeJobResponse:
        """See the proto."""
        now = utc_now()
        return pb.ResumeJobResponse(job=_shown(await self._change(request, lambda job: operations.resume_job(job, now=now))))

    async def _change(self, request: Any, decide: Callable[[Job], Any]) -> Job:
        caller = current_caller()

        def decided(job: Job) -> Any:
            if not (may_act_in(caller, job.area_code) and policies.may_see(job, caller)):
                raise self._jobs.form.not_found(job.job_id)
            return decide(job)

        return await self._jobs.change(request.job_id, decided, command=command_of(request, caller))

    # ------------------------------------------------------------------------------------------- looking

    async def GetJob(self, request: pb.GetJobRequest, context: object) -> pb.GetJobResponse:
        """See the proto."""
        return pb.GetJobResponse(job=_shown(await self._get(request.job_id)))

    async def ListJobs(self, request: pb.ListJobsRequest, context: object) -> pb.ListJobsResponse:
        """See the proto."""
        caller = current_caller()
        query = in_area(own=caller.area, wanted="") or {}
        if policies.OF_DEPARTMENTS_ONLY.issuperset(caller.roles):
            query |= {"department": caller.department or None}
        query |= {name: value for name in ("kind", "state") if (value := to_fields(request).get(name))}
        rows, token = await page_of(
            self._jobs.collection,
            query=query,
            keys=("-created_at", "_id"),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
            hidden=("checkpoint",),
        )
        return pb.ListJobsResponse(
            jobs=[to_message(job_pb2.Job, row, id_field="job_id") for row in rows], next_page_token=token
        )

    async def WatchJob(self, request: pb.WatchJobRequest, context: object) -> AsyncIterator[pb.WatchJobResponse]:
        """See the proto."""
        seen = int(request.cursor) if request.cursor.isdigit() else 0
        while True:
            job = await self._get(request.job_id)
            if job.revision > seen:
                seen = job.revision
                yield pb.WatchJobResponse(job=_shown(job), cursor=str(seen))
            if job.state.value in _ENDED:
                return
            await asyncio.sleep(LOOK_SECONDS)

    async def ExportJobOutput(
        self, request: pb.ExportJobOutputRequest, context: object
    ) -> AsyncIterator[pb.ExportJobOutputResponse]:
        """See the proto."""
        caller, job = current_caller(), await self._get(request.job_id)
        output = next((one for one in job.outputs if one.file_id == request.file_id), None)
        if output is None:
            raise NotFound("The job has no such output.", reason="OUTPUT_NOT_FOUND")
        policies.check_download(job, by=caller, purpose=caller.purpose)
        note = f"job {job.job_id} {output.name}"
        await self._trail.record(caller, event=audit.DOWNLOAD, rpc="JobService/ExportJobOutput", count=output.rows, note=note)
        kind = _TYPES.get(PurePath(output.name).suffix, "application/octet-stream")
        first = {"content_type": kind, "name": output.name}
        for number in range(max(1, -(-output.size // policies.PART_BYTES))):
            data = await self._part(output.file_id, number)
            yield pb.ExportJobOutputResponse(part=file_pb2.FilePart(data=data, **first))
            first = {}

    async def _part(self, file_id: str, number: int) -> bytes:
        id = part_id(file_id, number)
        part = await self._parts.find_one({"_id": id}, {"data": True})
        if part is None:
            raise NotFound("The file has been deleted.", reason="OUTPUT_EXPIRED")
        return await asyncio.to_thread(self._vault.open_bytes, bytes(part["data"]), owner=id)

    async def _get(self, job_id: str) -> Job:
        job = await self._jobs.get(job_id)
        if not (may_act_in(current_caller(), job.area_code) and policies.may_see(job, current_caller())):
            raise self._jobs.form.not_found(job_id)
        return job

    # ------------------------------------------------------------------------------------------- what there is

    async def ListMatchRules(self, request: pb.ListMatchRulesRequest, context: object) -> pb.ListMatchRulesResponse:
        """See the proto."""
        return pb.ListMatchRulesResponse(rules=[_rule(rule) for rule in rules().values()])

    async def ExportCollectionForm(
        self, request: pb.ExportCollectionFormRequest, context: object
    ) -> AsyncIterator[pb.ExportCollectionFormResponse]:
        """See the proto."""
        if request.form not in xlsform.FORMS:
            known = ", ".join(xlsform.FORMS)
            raise NotFound(f"There are the forms {known}.", reason="FORM_UNKNOWN")
        data = await asyncio.to_thread(xlsform.workbook, request.form)
        part = file_pb2.FilePart(content_type=_TYPES[".xlsx"], name=f"{request.form}.xlsx", data=data)
        yield pb.ExportCollectionFormResponse(part=part)


def _shown(job: Job) -> job_pb2.Job:
    return to_message(job_pb2.Job, job)


def _rule(rule: Rule) -> job_pb2.MatchRule:
    texts = ("code", "zh", "left_source", "right_source", "result_use", "prohibited_use", "verify_step", "purposes", "output")
    return job_pb2.MatchRule(fields=rule.mappable, **{name: getattr(rule, name) for name in texts})


def _texts_of(request: pb.StartCrossCheckRequest, spec: CrossCheckSpec) -> dict[str, str]:
    """What people write about a cross-check: no words for what must not be matched, not even as the name of a file."""
    found = {"legal_basis": request.legal_basis, "cross_check_spec.mapping": spec.mapping}
    found["cross_check_spec.other_mapping"] = spec.other_mapping
    for name, source in (("source", spec.source), ("other", spec.other)):
        if source is not None and source.name:
            found[f"cross_check_spec.{name}.name"] = source.name
    return found
