"""People who are told things: their notices, the roster, the deliveries; and the settings of workers that send to our sinks."""

from __future__ import annotations

import base64
import json
from typing import Any

from binglian.mediation.v1 import notice_pb2, notice_service_pb2_grpc
from binglian.mediation.v1 import notice_service_pb2 as pb

from svckit.ids import new_id
from tests.integration.mediation.stack import Person, Stack
from tests.sinks import HttpSink, MailSink

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def settings(http: HttpSink, mail: MailSink, **more: str) -> dict[str, str]:
    """Settings of a worker; no quiet hours unless given."""
    template = {"url": f"{http.url}/sms", "json": {"to": "{phone}", "text": "{text}", "id": "{id}"}}
    return {
        "BINGLIAN_NOTICE_SMS": json.dumps(template),
        "BINGLIAN_NOTICE_SMTP_URL": mail.url,
        "BINGLIAN_NOTICE_MAIL_FROM": "binglian@example.cn",
        "BINGLIAN_NOTICE_WEBHOOK_SECRET": SECRET,
        "BINGLIAN_NOTICE_WEBHOOK_HOSTS": http.host,
        "BINGLIAN_NOTICE_QUIET": "00:00-00:00",
        **more,
    }


class Reader(Person):
    """Somebody who reads notices, looks after the roster, or sees to deliveries."""

    def __init__(self, stack: Stack, **who: Any) -> None:
        super().__init__(stack, **who)
        self.notices: Any = notice_service_pb2_grpc.NoticeServiceStub(self.channel)  # type: ignore[arg-type]
        self.roster: Any = notice_service_pb2_grpc.RosterServiceStub(self.channel)  # type: ignore[arg-type]

    async def list(self, **fields: Any) -> pb.ListNoticesResponse:
        """The own notices."""
        found: pb.ListNoticesResponse = await self.notices.ListNotices(pb.ListNoticesRequest(**fields))
        return found

    async def of(self, case_id: str) -> list[notice_pb2.Notice]:
        """The own notices of one case, newest first."""
        return [notice for notice in (await self.list(page_size=200)).notices if notice.case_id == case_id]

    async def read(self, *notice_ids: str) -> int:
        """Marks notices as read; returns how many are unread."""
        request = pb.MarkReadRequest(request_id=new_id(), notice_ids=notice_ids)
        return int((await self.notices.MarkRead(request)).unread)

    async def enter(self, **fields: Any) -> notice_pb2.Duty:
        """Enters somebody on the roster."""
        draft = pb.DutyDraft(**({"name": "李明", "area_code": "420502"} | fields))
        return (await self.roster.CreateDuty(pb.CreateDutyRequest(request_id=new_id(), duty=draft))).duty

    async def deliveries(self, recipient: str, **fields: Any) -> list[notice_pb2.Delivery]:
        """The messages to one person, newest first."""
        found = (await self.notices.ListDeliveries(pb.ListDeliveriesRequest(page_size=200, **fields))).deliveries
        return [one for one in found if one.recipient == recipient]

    async def replay(self, delivery_id: str) -> notice_pb2.Delivery:
        """Sends a message again."""
        request = pb.ReplayDeliveryRequest(delivery_id=delivery_id, request_id=new_id())
        return (await self.notices.ReplayDelivery(request)).delivery
