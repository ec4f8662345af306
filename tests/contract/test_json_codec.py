"""The compiled JSON codec says the same as protobuf's own `json_format`, for every message type, in both directions.

Where `json_format` is laxer than the proto3 JSON mapping (it ignores garbage in base64, takes `true` for numbers, `[]` for
objects and both names of one field) the codec is strict; those cases have tests of their own.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import schema
from gateway.transcode import Codec, DecodeError, codec_of
from gateway.transcode.failure import EncodeError
from gateway.transcode.text import JsonError
from tests.contract.random_messages import everything, messages

TYPES = [*schema.messages(), everything()]
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
THOROUGH = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def same_json(left: Any, right: Any) -> bool:
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def reference(message: Any, **options: Any) -> str:
    """What json_format writes; the largest float it writes in a way that it refuses to read itself."""
    return json_format.MessageToJson(message, **options).replace("3.4028235e+38", "3.4028234663852886e+38")


def check_writes_the_same(codec: Codec, message: Any) -> None:
    wire = message.SerializeToString()
    assert same_json(json.loads(codec.encode(codec.parse(wire))), json.loads(reference(message)))


def check_reads_the_same(codec: Codec, message: Any, *, proto_names: bool) -> None:
    text = reference(message, preserving_proto_field_name=proto_names)
    ours, theirs = codec.decode(text.encode()), json_format.Parse(text, codec.new())
    assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)


@pytest.mark.parametrize("descriptor", TYPES, ids=lambda descriptor: descriptor.full_name)
@given(data=st.data())
@QUICK
def test_agrees_with_json_format_on_every_message_type(descriptor: Any, data: st.DataObject) -> None:
    codec, message = codec_of(descriptor), data.draw(messages(descriptor))
    check_writes_the_same(codec, message)
    check_reads_the_same(codec, message, proto_names=data.draw(st.booleans()))


@given(message=messages(everything()), proto_names=st.booleans())
@THOROUGH
def test_agrees_with_json_format_on_every_kind_of_field(message: Any, proto_names: bool) -> None:
    codec = codec_of(everything())
    check_writes_the_same(codec, message)
    check_reads_the_same(codec, message, proto_names=proto_names)


# ---------------------------------------------------------------------------------------------------- errors

WRONG = [None, True, False, 0, 1, -1, 1.5, 1e300, 2**31, 2**63, 2**64, -(2**31) - 1, "", "x", "1", "1.0", "1.5", "-1", "1e3",
         "true", "NaN", "Infinity", "COLOUR_RED", "colour_red", "2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "3s", "3", [], [None],
         [1], ["x"], [[]], {}, {"x": 1}, {"": None}, {"1": 1}, {"true": 1}, {"@type": "x"}, {"value": 1}]  # fmt: skip


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a JSON document."""
    found = [(document, key) for key in (document if isinstance(document, dict) else range(len(document)))]
    for container, key in list(found):
        if isinstance(container[key], dict | list):
            found += places(container[key])
    return found


@st.composite
def spoiled(draw: Any, descriptor: Any) -> Any:
    """JSON of a random message in which one value was replaced, one field renamed, or one field added."""
    document = json.loads(reference(draw(messages(descriptor))))
    fields = [field.json_name for field in descriptor.fields]
    if fields and draw(st.booleans()):
        document[draw(st.sampled_from([*fields, "unknownField"]))] = copy.deepcopy(draw(st.sampled_from(WRONG)))
    spots = places(document)
    if spots:
        container, key = spots[draw(st.integers(0, len(spots) - 1))]
        container[key] = copy.deepcopy(draw(st.sampled_from(WRONG)))
    return document


def outcome(read: Any, document: Any) -> Any:
    try:
        return read(json.dumps(document)).SerializeToString(deterministic=True)
    except (DecodeError, json_format.ParseError) as error:
        return error


def agree(codec: Codec, document: Any) -> None:
    ours = outcome(lambda text: codec.decode(text.encode()), document)
    theirs = outcome(lambda text: json_format.Parse(text, codec.new()), document)
    if "AttributeError" in str(theirs):
        return  # json_format itself breaks down on null for `repeated google.protobuf.Value`
    if isinstance(theirs, Exception):
        assert isinstance(ours, DecodeError), f"we accept what json_format refuses: {theirs}"
    elif isinstance(ours, Exception):
        assert ours.message in STRICTER, f"we refuse what json_format accepts: {ours.field} {ours.message}"
    else:
        assert ours == theirs


STRICTER = {
    "must be base64",
    "must be a number, not true or false",
    "must be a whole number, not true or false",
    "must lie between -2147483648 and 2147483647",
    "must be a whole number within the range of its type",
    "must be lowerCamelCase paths joined by commas",
    'must hold "@type" and "value" and nothing else',
    "must be an object, not an array",  # json_format takes "" and [] for {}
    "must be an object, not a string",
}


@pytest.mark.parametrize("descriptor", TYPES, ids=lambda descriptor: descriptor.full_name)
@given(data=st.data())
@QUICK
def test_refuses_what_json_format_refuses_for_every_message_type(descriptor: Any, data: st.DataObject) -> None:
    agree(codec_of(descriptor), data.draw(spoiled(descriptor)))


@given(document=spoiled(everything()))
@THOROUGH
def test_refuses_what_json_format_refuses_for_every_kind_of_field(document: Any) -> None:
    agree(codec_of(everything()), document)


# ---------------------------------------------------------------------------------------------------- what we decide ourselves


def refusal(text: str) -> tuple[str, str]:
    with pytest.raises(DecodeError) as caught:
        codec_of(everything()).decode(text.encode())
    return caught.value.field, caught.value.message


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ('{"anInt32": 1, "anInt32": 2}', "anInt32", "is given twice"),
        ('{"aString": "x\\":y", "anInt32" : 1, "anInt32": 2}', "anInt32", "is given twice"),
        ('{"extra": {"a": 1, "a": 1}}', "a", "is given twice"),
        ('{"anInt32": 1, "an_int32": 2}', "an_int32", "is given twice, also as anInt32"),
        ('{"anInt32": 2147483648}', "anInt32", "must lie between -2147483648 and 2147483647"),
        ('{"anInt64": "9223372036854775808"}', "anInt64", "must lie between -9223372036854775808 and 9223372036854775807"),
        ('{"anInt64": "1_000"}', "anInt64", "must be a whole number"),
        ('{"anInt32": " 1"}', "anInt32", "must be a whole number"),
        ('{"aUint32": -1}', "aUint32", "must lie between 0 and 4294967295"),
        ('{"aDouble": " 1"}', "aDouble", 'must be a number, "NaN", "Infinity" or "-Infinity"'),
        ('{"aFloat": 1e39}', "aFloat", "is too large for a float"),
        ('{"aString": 1}', "aString", "must be a string, not a number"),
        ('{"aBool": "true"}', "aBool", "must be true or false, not a string"),
        ('{"someBytes": "a*b="}', "someBytes", "must be base64"),
        ('{"colour": "GREEN"}', "colour", "is not a value of Colour"),
        ('{"colour": 1.5}', "colour", "must be a whole number within the range of its type"),
        ('{"at": "2026-02-30T00:00:00Z"}', "at", "is not a time that exists (day is out of range for month)"),
        ('{"at": "2026-02-28 00:00:00Z"}', "at", "must be a time like 2026-05-01T08:30:00Z"),
        ('{"lasting": "5"}', "lasting", 'must be a duration in seconds like "90s" or "1.5s"'),
        ('{"choiceText": "a", "choiceNumber": 1}', "choiceNumber", "excludes choiceText"),
        ('{"children": [{}, {"byInt32": {"7": {"aBool": 1}}}]}', "children[1].byInt32.7.aBool", "must be true or false, not a number"),
        ('{"byBool": {"yes": 1}}', "byBool.yes", 'must be "true" or "false"'),
        ('{"strings": ["a", null]}', "strings[1]", "must not be null"),
        ('{"nope": 1}', "nope", "is not a field here"),
        ("[]", "", "must be an object, not an array"),
        ("null", "", "must be an object, not null"),
        ('{"anything": {"@type": "type.googleapis.com/n.Such"}}', "anything", "is of a type nobody here knows: type.googleapis.com/n.Such"),
        ('{"anything": {"aString": "x"}}', "anything.@type", "must be a type like type.googleapis.com/package.Message"),
    ],
)  # fmt: skip
def test_refusals_name_the_field_and_say_what_is_wrong(text: str, field: str, message: str) -> None:
    assert refusal(text) == (field, message)


def test_malformed_json_is_refused_with_its_position() -> None:
    with pytest.raises(JsonError) as caught:
        codec_of(everything()).decode(b'{"aString": "x",\n "aBool": tru}')
    assert (caught.value.line, caught.value.column) == (2, 11)


@pytest.mark.parametrize("depth", [90, 300, 5000])
def test_deep_nesting_is_refused_not_crashed_on(depth: int) -> None:
    codec = codec_of(everything())
    text = b'{"extra": ' + b'{"a": ' * depth + b"1" + b"}" * (depth + 1)
    if depth < 100:
        assert codec.decode(text).extra.fields["a"].HasField("struct_value")
    else:
        with pytest.raises(DecodeError, match=r"nested|depth limit"):
            codec.decode(text)


def test_equal_looking_strings_do_not_pass_for_duplicates() -> None:
    text = b'{"aString": "a\\":1,\\"a\\":2", "strings": [":", " :", "\\" :"], "byString" : {"k:": ":"}}'
    assert codec_of(everything()).decode(text).a_string == 'a":1,"a":2'


@pytest.mark.parametrize("text", ["+/8=", "-_8=", "+/8", "-_8"])
def test_bytes_are_read_from_both_alphabets_padded_or_not(text: str) -> None:
    assert codec_of(everything()).decode(json.dumps({"someBytes": text}).encode()).some_bytes == b"\xfb\xff"


def test_a_time_that_cannot_exist_is_a_defect_of_the_service() -> None:
    codec = codec_of(everything())
    message = codec.new()
    message.at.seconds = 2**60
    with pytest.raises(EncodeError):
        codec.encode(message)
