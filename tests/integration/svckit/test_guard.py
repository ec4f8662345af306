"""What a service adds around every rpc: a look at the request before the handler, and at the answer before it leaves."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from svckit.access import Caller
from svckit.errors import FailedPrecondition, InvalidArgument
from svckit.grpc_server import GrpcServer
from svckit.interceptors import Pipeline
from svckit.tokens import KeySet, TokenVerifier
from tests.integration.svckit.test_pipeline import Probe
from tests.issuer import running_issuer
from tests.probe import pb, pb_grpc
from tests.refusals import told


class Watchful:
    """Refuses one request and one answer, and notes the rest; asked once per rpc."""

    def __init__(self) -> None:
        self.rpcs: list[str] = []
        self.seen: list[tuple[str, str]] = []

    def of(self, method: Any) -> Watchful | None:
        self.rpcs.append(method.name)
        return None if method.name == "ForPurpose" else self

    def check(self, caller: Caller, request: Any) -> None:
        if request.act == "bad":
            raise InvalidArgument("Not this.", reason="BAD", field="act")

    async def shown(self, caller: Caller, request: Any, response: Any) -> Any:
        self.seen.append((caller.subject, caller.purpose))
        if request is not None and request.act == "secret":
            raise FailedPrecondition("Nobody may see this.", reason="HIDDEN")
        return type(response)(text="shown", people=response.people)

    async def strayed(self, caller: Caller, request: Any) -> None:
        self.seen.append(("strayed", request.act if request is not None else ""))


async def test_a_guard_stands_around_every_call_with_a_caller() -> None:
    guard = Watchful()
    with running_issuer() as issuer:
        verifier = TokenVerifier(keys=KeySet(url=issuer.url), issuer="binglian", audience="binglian")
        server = GrpcServer(pipeline=Pipeline(verifier=verifier, guard=guard))
        server.add([(pb_grpc.add_ProbeServiceServicer_to_server, Probe())])
        port = await server.start(host="127.0.0.1", port=0)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub: Any = pb_grpc.ProbeServiceStub(channel)
            metadata = [("authorization", f"Bearer {issuer.token()}")]
            answer = await stub.AnyToken(pb.ProbeRequest(), metadata=metadata)
            assert (answer.text, guard.seen) == ("shown", [("u1", "")])
            assert [each.text async for each in stub.Watch(pb.ProbeRequest(), metadata=metadata)] == ["shown"]
            for act, reason in (("bad", "BAD"), ("secret", "HIDDEN")):
                with pytest.raises(grpc.RpcError) as refused:
                    await stub.AnyToken(pb.ProbeRequest(act=act), metadata=metadata)
                assert told(refused.value).reason == reason
            assert (await stub.Open(pb.ProbeRequest())).text == "nobody"
            sound, bad = pb.ProbeRequest(act="good"), pb.ProbeRequest(act="bad")
            assert (await stub.Take(iter([sound]), metadata=metadata)).text == "shown"
            with pytest.raises(grpc.RpcError) as refused:
                await stub.Take(iter([sound, bad]), metadata=metadata)
            assert told(refused.value).reason == "BAD"
            assert told(refused.value).fields == ("messages[1].act",)
            with pytest.raises(grpc.RpcError) as refused:
                await anext(aiter(stub.Watch(bad, metadata=metadata)))
            assert told(refused.value).reason == "BAD"
            stray = pb.ProbeRequest(act="stray")
            guard.seen.clear()
            with pytest.raises(grpc.RpcError):
                await stub.Take(iter([sound, stray]), metadata=metadata)
            with pytest.raises(grpc.RpcError):
                [each async for each in stub.Watch(stray, metadata=metadata)]
            assert [told for told in guard.seen if told[0] == "strayed"] == [("strayed", ""), ("strayed", "stray")]
        await server.stop(grace=0)
    assert len(guard.rpcs) == len(set(guard.rpcs))
