"""The gRPC servicers: translate, call one operation or search, translate back. Errors, access and masking happen around them."""

from mediation.rpc.cases import CaseServicer
from mediation.rpc.clocks import ClockServicer
from mediation.rpc.notices import NoticeServicer, RosterServicer
from mediation.rpc.searching import SearchServicer
from mediation.rpc.tasks import TaskServicer

__all__ = ["CaseServicer", "ClockServicer", "NoticeServicer", "RosterServicer", "SearchServicer", "TaskServicer"]
