from __future__ import annotations

import json
import logging
import subprocess
import sys

import pytest

from svckit import telemetry
from svckit.errors import NotFound
from svckit.logs import JsonFormatter, Repeats, redact

TRACE = "ab" * 16


def line(record: logging.LogRecord, *, show_values: bool = False) -> dict:
    text = JsonFormatter(service="mediation", show_values=show_values).format(record)
    assert "\n" not in text
    return json.loads(text)


def record(message: str, *arguments: object, error: BaseException | None = None, **extra: object) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("mediation.rpc", logging.ERROR, __file__, 1, message, arguments, info)
    vars(made).update(extra)
    return made


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException:
        found = sys.exc_info()[1]
        assert found is not None
        return found


def test_a_line_has_the_agreed_fields_and_the_trace() -> None:
    token = telemetry.attach(telemetry.remote_context(f"00-{TRACE}-{'cd' * 8}-01"))
    try:
        found = line(record("case %s closed", "c1", case_id="c1"))
    finally:
        telemetry.detach(token)
    assert found["message"] == "case c1 closed"
    assert (found["service"], found["level"], found["case_id"], found["trace_id"]) == ("mediation", "ERROR", "c1", TRACE)
    assert found["time"].endswith("Z")


@pytest.mark.parametrize(
    "secret",
    [
        "13812345678",
        "138-1234-5678",
        "+86 13812345678",
        "420502199001011234",
        "42050219900101123X",
        "420502900101123",
        "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl",
    ],
)
def test_personal_data_never_reaches_a_line(secret: str) -> None:
    shown = [
        line(record("电话%s。", secret)),
        line(record("x", error=raised(NotFound(f"no {secret}")), note=f"({secret})", items=[secret])),
        line(record("x", error=raised(ValueError(secret)))),
        line(record("x", error=raised(ValueError(secret))), show_values=True),
    ]
    assert secret not in json.dumps(shown, ensure_ascii=False)


def test_fields_with_telling_names_are_hidden() -> None:
    found = line(record("x", reporter_name="王小明", birth_date="1990", password="p", service_id="s"))
    assert {found["reporter_name"], found["birth_date"], found["password"]} == {"***"}
    assert found["service_id"] == "s"


def test_an_unexpected_error_shows_where_but_not_which_value() -> None:
    found = line(record("x", error=raised(ValueError("王小明"))))
    assert found["error"]["type"] == "ValueError"
    assert "raised" in found["error"]["at"][-1]
    assert "text" not in found["error"]
    assert line(record("x", error=raised(ValueError("王小明"))), show_values=True)["error"]["text"] == "王小明"


@pytest.mark.parametrize(
    "harmless", ["01a201e5-fd25-73d1-83e3-605118169ebd", "42050200100310001", "420502-2026-000123", "1772323200123"]
)
def test_ids_codes_and_times_stay_readable(harmless: str) -> None:
    assert redact(f"x {harmless} y") == f"x {harmless} y"


def test_passwords_of_addresses_are_blanked() -> None:
    assert redact("amqp://user:secret@host:5672/v") == "amqp://***@host:5672/v"


def test_libraries_complaining_in_a_loop_are_heard_once_a_minute() -> None:
    repeats = Repeats()
    loud = logging.LogRecord("opentelemetry.exporter", logging.WARNING, "", 1, "cannot export", (), None)
    assert [repeats.filter(loud), repeats.filter(loud)] == [True, False]
    ports = [logging.LogRecord("pymongo.x", logging.WARNING, "", 1, f"no :{port}", (), None) for port in (40001, 40002)]
    assert [repeats.filter(one) for one in ports] == [True, False]
    lost, absent, back = (
        logging.LogRecord("svckit.greenlink", level, "", 1, text, (), None)
        for level, text in ((logging.WARNING, "lost: %r"), (logging.WARNING, "none yet: %r"), (logging.INFO, "connected"))
    )
    told = [repeats.filter(one) for one in (absent, back, lost, absent, back, lost)]
    assert told == [True, True, True, False, True, False]
    ours = record("x")
    assert [repeats.filter(ours), repeats.filter(ours)] == [True, True]


def test_a_broker_that_is_not_there_yet_is_no_error_of_pika() -> None:
    attempt = (
        "import pika; from svckit import logs; from svckit.embedded import free_port; logs.setup(service='x');"
        "url = pika.URLParameters(f'amqp://127.0.0.1:{free_port()}/?connection_attempts=1');"
        "end = lambda connection, error: connection.ioloop.stop();"
        "pika.SelectConnection(url, on_open_error_callback=end).ioloop.start()"
    )
    done = subprocess.run([sys.executable, "-c", attempt], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout + done.stderr == ""
