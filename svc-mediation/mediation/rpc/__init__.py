"""The gRPC servicers: translate, call one operation or search, translate back. Errors, access and masking happen around them."""

from mediation.rpc.audits import AuditServicer
from mediation.rpc.cases import CaseServicer
from mediation.rpc.clocks import ClockServicer
from mediation.rpc.cooperation import CooperationServicer
from mediation.rpc.histories import HistoryServicer
from mediation.rpc.notices import NoticeServicer, RosterServicer
from mediation.rpc.searching import SearchServicer
from mediation.rpc.tasks import TaskServicer
from mediation.rpc.ways import CaseFlowServicer

__all__ = [
    "AuditServicer",
    "CaseFlowServicer",
    "CaseServicer",
    "ClockServicer",
    "CooperationServicer",
    "HistoryServicer",
    "NoticeServicer",
    "RosterServicer",
    "SearchServicer",
    "TaskServicer",
]
