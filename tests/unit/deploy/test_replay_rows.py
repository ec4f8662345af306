"""Request files: every row is either a request or a problem with its row number."""

import datetime as dt
from pathlib import Path

import pytest

from deploy.replay.rows import MappingError, Problem, Request, load_mapping, mapping_for, read_rows

MAPPINGS = Path("deploy/replay/mappings")
REAL = Path("../shared/data/service_requests/MyLA311_2020_10k.csv")
HEADER = "srnumber,requesttype,status,createddate,closeddate,requestsource,owner,latitude,longitude,address,ncname"
GOOD = "1-1,Bulky Items,Closed,1/1/20 0:05,1/2/20 8:43,Call,BOS,34.1,-118.4,1 Main St,ARLETA NC"


@pytest.fixture
def mapping():
    return load_mapping(MAPPINGS / "myla311.yaml")


@pytest.fixture
def read(tmp_path, mapping):
    def read(*lines):
        path = tmp_path / "requests.csv"
        path.write_text("\n".join((HEADER, *lines)) + "\n")
        return list(read_rows(path, mapping))

    return read


def test_a_clean_row_becomes_a_request_in_utc(read):
    (request,) = read(GOOD)
    assert isinstance(request, Request)
    assert (request.row, request.external_id, request.category, request.department) == (1, "1-1", "D0108", "UMD")
    assert request.created == dt.datetime(2020, 1, 1, 8, 5, tzinfo=dt.UTC)
    assert request.point == (-118.4, 34.1)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (GOOD.replace("1-1,", ",", 1), "no id"),
        (GOOD.replace("1/1/20 0:05", "yesterday"), "bad created time"),
        (GOOD.replace("Bulky Items", "Flying Saucer"), "unknown type"),
        (GOOD.replace("BOS", "NASA"), "unknown owner"),
        (GOOD.replace("Closed", "Lost"), "unknown status"),
        (GOOD.replace("1/2/20 8:43", "1/1/19 8:43"), "closed before created"),
    ],
)
def test_a_row_that_cannot_be_a_case_is_refused_with_its_number(read, line, kind):
    rows = read(GOOD.replace("1-1", "1-0"), line)
    assert rows[1] == Problem(2, kind, rows[1].text, refused=True)
    assert len(rows) == 2


def test_a_repeated_id_is_refused(read):
    first, second = read(GOOD, GOOD)
    assert isinstance(first, Request)
    assert (second.kind, second.row) == ("repeated id", 2)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (GOOD.replace("34.1,-118.4", ","), "no position"),
        (GOOD.replace("Call", "Pigeon"), "unknown source"),
        (GOOD.replace("1/2/20 8:43", ""), "closed without a time"),
    ],
)
def test_a_row_with_a_gap_is_taken_with_a_remark(read, line, kind):
    problem, request = read(line)
    assert (problem.kind, problem.refused) == (kind, False)
    assert isinstance(request, Request)


def test_a_closed_request_without_a_time_stays_open(read):
    assert read(GOOD.replace("1/2/20 8:43", ""))[-1].outcome == "open"


def test_a_file_without_a_column_is_refused_by_name(tmp_path, mapping):
    path = tmp_path / "requests.csv"
    path.write_text("srnumber,requesttype\n")
    with pytest.raises(MappingError, match="createddate"):
        list(read_rows(path, mapping))


def test_no_mapping_fits_an_unknown_header():
    with pytest.raises(MappingError, match="MAPPING"):
        mapping_for({"a", "b"}, MAPPINGS)


@pytest.mark.skipif(not REAL.exists(), reason=f"{REAL} is not here: the real request file cannot be read")
def test_every_row_of_the_real_file_is_a_request_or_refused(mapping):
    rows = list(read_rows(REAL, mapping))
    requests = {row.row for row in rows if isinstance(row, Request)}
    refused = {row.row for row in rows if isinstance(row, Problem) and row.refused}
    assert requests.isdisjoint(refused)
    assert len(requests | refused) == 10_000
    assert len(requests) > 9_900
