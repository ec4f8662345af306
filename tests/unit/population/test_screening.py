"""What must not be kept about people is found however it is written, and ordinary words and numbers are left alone."""

from __future__ import annotations

import datetime as dt

import pytest
from binglian.population.v1 import resident_service_pb2 as service_pb
from hypothesis import given
from hypothesis import strategies as st

from population.domain.collection import Registered
from population.identity import check_digit
from population.policies.collection import check_value
from population.privacy.detector import in_column, in_text, terms
from population.privacy.screening import check_rule, check_text, screen_columns, screen_row
from population.privacy.texts import check_request
from svckit.errors import InvalidArgument

ID = "11010519491231002X"


def categories(text: str) -> set[str]:
    return {finding.category for finding in in_text(text)}


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("此人宗教信仰不明", "9019"),
        ("他是基督徒，周日去教堂", "9019"),
        ("宗 教 信 仰：无", "9019"),
        ("宗\u200b教信仰", "9019"),
        ("刑釋解教人員", "9004"),
        ("有前*科", "9011"),
        ("ＨＩＶ阳性", "9007"),
        ("感染了Hiv", "9007"),
        ("長期赴省進京", "9005"),
        ("列為重點人員", "9003"),
        ("属于超生家庭", "9012"),
        ("曾患精神分裂，按时服药", "health"),
        (f"身份证{ID}", "id_number"),
        (f"身份证 {ID[:6]} {ID[6:14]} {ID[14:]}", "id_number"),
        ("身份证１１０１０５１９４９１２３１００２Ｘ", "id_number"),
        ("老证号110105491231002", "id_number"),
        ("电话13812345678", "phone"),
        ("电话 138-1234-5678 晚上打", "phone"),
        ("+86 138 1234 5678", "phone"),
        ("工商银行卡6222021234567890128", "bank_card"),
        ("卡号 6222 0212 3456 7890 128", "bank_card"),
        ("Visa card 4111 1111 1111 1111", "bank_card"),
    ],
)
def test_it_is_found_however_it_is_written(text: str, category: str) -> None:
    assert category in categories(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "楼道堆放杂物，已劝离",
        "老人摔倒，已送医院，联系社区 0717-6251234",
        "网格 42050200100310001 的部件 4205020101000001 损坏",
        "案件 420502-2026-000123，统一社会信用代码 91420500MA48XXXX1K",
        "教堂门口的路灯不亮",
        "宗教活动场所消防检查",
        "在逃生通道堆放电动车",
        "通信主管道破损，通信教育基地旁",
        "指纹锁坏了，人脸识别门禁打不开",
        "aidshine 科技公司",
        "订单 202611220001234567",
        "2026-11-22 12:30 走访",
        "4111 1111 1111 1111",
        "身份证号码 110105194912310021",
    ],
)
def test_ordinary_texts_are_left_alone(text: str) -> None:
    assert categories(text) == set()


@given(st.uuids())
def test_ids_of_ours_are_never_numbers_of_people(id: object) -> None:
    assert categories(f"见 {id}") == set()


@given(st.dates(), st.integers(0, 999), st.sampled_from(["", " ", "-", "·"]))
def test_every_identity_number_is_found(day: object, serial: int, separator: str) -> None:
    body = f"420502{day:%Y%m%d}{serial:03d}".replace(" ", "0")
    if len(body) != 17:
        return
    number = body + check_digit(body)
    assert "id_number" in categories(f"号码{number[:6]}{separator}{number[6:14]}{separator}{number[14:]}。")


def test_every_category_of_the_table_is_looked_for() -> None:
    codes = {str(code) for code in range(9001, 9021)}  # restricted_category.csv
    assert codes <= set(terms())
    for code in codes:
        assert terms()[code].columns
        for word in terms()[code].words:
            assert code in categories(f"他{word}等")


@pytest.mark.parametrize(
    ("column", "category"),
    [
        ("宗教信仰", "9019"),
        ("Religion", "9019"),
        ("政治 面貌", "9001"),
        ("risk_score", "9008"),
        ("指纹", "9009"),
        ("BANK_ACCOUNT", "bank"),
    ],
)
def test_columns_that_would_collect_it_are_refused(column: str, category: str) -> None:
    found = screen_columns(["姓名", "身份证号", "phone", column, "residence", "性别"])
    assert [(each.field, each.category, each.reason) for each in found] == [(column, category, "RESTRICTED_COLUMN")]


def test_columns_of_the_register_itself_are_taken() -> None:
    from population.domain.resident import Resident, ResidentDraft

    names = {*Resident.__struct_fields__, *ResidentDraft.__struct_fields__}
    assert [name for name in names if in_column(name)] == []


def test_a_row_is_rejected_with_its_field_and_the_reason() -> None:
    row = {"name": "王小明", "id_number": ID, "phone": "13812345678", "note": f"有前科，电话13812345678，{ID}", "age": 3}
    found = screen_row(row)
    assert {(each.field, each.reason, each.category) for each in found} == {
        ("note", "RESTRICTED_CONTENT", "9011"),
        ("note", "NUMBER_IN_TEXT", "phone"),
        ("note", "NUMBER_IN_TEXT", "id_number"),
    }
    assert all("138" not in each.message for each in found)
    assert screen_row({"name": "王小明", "address": "解放路1号2-301"}) == []


def test_fields_made_for_what_is_sensitive_may_say_it_but_never_what_is_excluded() -> None:
    check_text("曾患精神分裂，子女电话13812345678", field="notes", sensitive=True)
    for text, sensitive in (("曾患精神分裂", False), ("是否信教：是", True), ("有前科", False)):
        with pytest.raises(InvalidArgument) as refused:
            check_text(text, field="a.b", sensitive=sensitive)
        assert (refused.value.field, refused.value.reason) == ("a.b", "RESTRICTED_CONTENT")


@pytest.mark.parametrize(
    ("texts", "fields"),
    [
        ({"right_source": "公安在逃人员库"}, ()),
        ({"name": "信访人员比对"}, ()),
        ({"condition": "risk_score > 3"}, ()),
        ({"name": "人口基础比对"}, ("name", "criminal_record")),
    ],
)
def test_no_rule_may_use_it(texts: dict[str, str], fields: tuple[str, ...]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check_rule(texts, fields=fields)
    assert refused.value.reason == "EXCLUDED_RULE"


def test_ordinary_rules_are_taken() -> None:
    check_rule(
        {"left_source": "死亡登记", "right_source": "养老待遇发放", "use": "疑似冒领线索转人社核查(不自动停发)"},
        fields=("name", "id_number"),
    )


def test_a_name_is_a_text_too() -> None:
    asked = service_pb.CreateResidentRequest(request_id="12345678", resident={"name": "张三 刑满释放", "phone": "13800000001"})
    with pytest.raises(InvalidArgument) as refused:
        check_request(asked)
    assert (refused.value.field, refused.value.reason) == ("resident.name", "RESTRICTED_CONTENT")
    asked.resident.name = "张三"
    check_request(asked)
    person = Registered(resident_id="r", city="4205", area_code="420502001003", changed_at=dt.datetime.now(dt.UTC), values={})
    with pytest.raises(InvalidArgument):
        check_value(field="name", value="张三 刑满释放", registered=person, now=person.changed_at)
