"""hub.fhir.xml: JSON to XML and back is the same; what is no FHIR XML is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.errors import CannotRender, InputRefused, Malformed
from hub.fhir.codec import dump_json, parse_json
from hub.fhir.types import is_resource, resource_types, shape_of
from hub.fhir.xml import from_xml, to_xml
from tests.views import EXAMPLES

NAMES = sorted(resource_types())

TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    | st.sampled_from("\n\t\r æøå<>&\"'"),
    min_size=1,
    max_size=12,
).filter(str.strip)
VALUES = {
    "boolean": st.booleans(),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "positiveInt": st.integers(1, 2**31 - 1),
    "unsignedInt": st.integers(0, 2**31 - 1),
    "decimal": st.sampled_from(["1.50", "0.00", "-7.250", "1E+3", "123456789.123456789123"]).map(
        Decimal
    ),
}
DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p>En <b>tekst</b> &lt;&amp;<br/>æøå</p></div>'


def element(code: str, depth: int) -> st.SearchStrategy[object]:
    """A value of a type; the content of any kind, not only what a profile would have."""
    if code == "xhtml":
        return st.just(DIV)
    if code == "Resource":
        return st.sampled_from(["Basic", "Patient", "Goal"]).flatmap(
            lambda name: resource(name, depth + 1)
        )
    if shape_of(code) is not None:
        return content(code, "", depth + 1)
    return VALUES.get(code, TEXT)


def content(kind: str, path: str, depth: int) -> st.SearchStrategy[dict[str, object]]:
    """Some members of a type, at least one."""
    shape = shape_of(kind, path)
    assert shape is not None
    deep = depth > 3
    named = {
        name: (found, code)
        for name, (_, found, code) in shape.by_name.items()
        if not (deep and (code == "Resource" or found.content or shape_of(code)))
    }

    @st.composite
    def build(draw: st.DrawFn) -> dict[str, object]:
        wanted = draw(st.sets(st.sampled_from(sorted(named)), min_size=1, max_size=4))
        made: dict[str, object] = {}
        taken: set[str] = set()
        for name in sorted(wanted):
            found, code = named[name]
            if found.name in taken:
                continue
            taken.add(found.name)
            one = content(found.content.type, found.content.path, depth + 1) if found.content \
                else element(code, depth)  # fmt: skip
            primitive = not found.content and code not in {"xhtml", "Resource"} \
                and shape_of(code) is None and not found.attribute  # fmt: skip
            made |= draw(member(name, one, many=found.many, primitive=primitive, deep=deep))
        return made

    return build()


def member(
    name: str, one: st.SearchStrategy[object], *, many: bool, primitive: bool, deep: bool
) -> st.SearchStrategy[dict[str, object]]:
    """A member, and for a primitive what stands beside it."""
    beside = st.fixed_dictionaries({"id": st.just("a1")}, optional={
        "extension": st.just([{"url": "http://x.example/e", "valueCode": "c"}])
    })  # fmt: skip

    @st.composite
    def build(draw: st.DrawFn) -> dict[str, object]:
        if not many:
            made = {name: draw(one)}
            if primitive and draw(st.booleans()):
                made[f"_{name}"] = draw(beside)
                if draw(st.booleans()):
                    del made[name]
            return made
        values = draw(st.lists(one, min_size=1, max_size=3))
        made = {name: values}
        if primitive and not deep and draw(st.booleans()):
            others = [draw(st.none() | beside) for _ in values]
            kept = [v if o is None or draw(st.booleans()) else None
                    for v, o in zip(values, others, strict=True)]  # fmt: skip
            made = {name: kept, f"_{name}": others}
            made = {k: v for k, v in made.items() if any(x is not None for x in v)}
        return made

    return build()


def resource(name: str, depth: int = 0) -> st.SearchStrategy[dict[str, object]]:
    return content(name, "", depth).map(lambda found: {"resourceType": name} | found)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(NAMES).flatmap(resource))
def test_any_resource_is_the_same_in_xml(found: dict[str, object]) -> None:
    again = from_xml(to_xml(found))
    assert again == found
    assert parse_json(dump_json(again)) == found


@pytest.mark.parametrize("file", sorted(p.name for p in EXAMPLES.glob("*.json")))
def test_every_example_is_the_same_in_xml(file: str) -> None:
    found = parse_json((EXAMPLES / file).read_bytes())
    assert from_xml(to_xml(found)) == found


def test_numbers_keep_their_lexeme() -> None:
    body = b'{"resourceType":"Observation","valueQuantity":{"value":1.50,"code":"x"}}'
    as_xml = to_xml(parse_json(body))
    assert b'<value value="1.50"/>' in as_xml
    assert dump_json(from_xml(as_xml)) == body


def test_element_order_is_r4_s_whatever_the_json_s() -> None:
    one = {"resourceType": "Goal", "lifecycleStatus": "active", "id": "a", "text": {"div": DIV}}
    as_xml = to_xml(one).decode()
    assert as_xml.index("<id ") < as_xml.index("<text>") < as_xml.index("<lifecycleStatus ")
    assert '<div xmlns="http://www.w3.org/1999/xhtml">' in as_xml


HEAD = '<Goal xmlns="http://hl7.org/fhir">'


@pytest.mark.parametrize(
    "body",
    [
        "", "x", "<Goal/>", '<Goal xmlns="urn:x"/>', '<Robot xmlns="http://hl7.org/fhir"/>',
        '<Element xmlns="http://hl7.org/fhir"/>', '<DomainResource xmlns="http://hl7.org/fhir"/>',
        f"{HEAD}<robot/></Goal>", f"{HEAD}text</Goal>", f"{HEAD}<id value='a'/>tail</Goal>",
        f"{HEAD}<lifecycleStatus value='active'/><id value='a'/></Goal>",
        f"{HEAD}<id value='a'/><id value='b'/></Goal>", f"{HEAD}<id/></Goal>",
        f"{HEAD}<id value='a' other='b'/></Goal>", f"{HEAD}<category/></Goal>",
        f"{HEAD}<text><div><p>x</p></div></text></Goal>",
        f"{HEAD}<contained/></Goal>", f"{HEAD}<contained><id value='x'/></contained></Goal>",
        f"{HEAD}<target><detailInteger value='1.0'/></target></Goal>",
        f"{HEAD}<target><detailBoolean value='TRUE'/></target></Goal>",
        f"{HEAD}<target><detailQuantity><value value='1,5'/></detailQuantity></target></Goal>",
        f"{HEAD}<target><detailQuantity><value value='NaN'/></detailQuantity></target></Goal>",
        '<!DOCTYPE x [<!ENTITY a "b">]>' + HEAD + "</Goal>", HEAD + "<extension>" * 500,
    ],
)  # fmt: skip
def test_what_is_no_fhir_xml_is_refused(body: str) -> None:
    with pytest.raises(InputRefused) as refused:
        from_xml(body.encode())
    assert "1,5" not in str(refused.value.issues)


def test_comments_and_schema_locations_are_not_content() -> None:
    body = (
        '<Goal xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="a b"><!-- note --><id value="a"/>\n  <text><status value="empty"/>'
        '<div xmlns="http://www.w3.org/1999/xhtml">x</div></text></Goal>'
    )
    assert from_xml(body.encode()) == {
        "resourceType": "Goal",
        "id": "a",
        "text": {"status": "empty", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"resourceType": "Goal", "robot": 1}, {"resourceType": "Robot"}, {},
        {"resourceType": "Goal", "category": "x"}, {"resourceType": "Goal", "id": {"a": 1}},
        {"resourceType": "Goal", "id": "a\u0000b"}, {"resourceType": "Goal", "contained": [{}]},
        {"resourceType": "Goal", "text": {"div": "<div>"}},
        {"resourceType": "Goal", "note": [{"_id": {"id": "a"}}]},
        {"resourceType": "Goal", "extension": [{"url": 1, "valueCode": "x"}]},
    ],
)  # fmt: skip
def test_what_has_no_place_in_xml_is_not_left_out(wrong: dict[str, object]) -> None:
    with pytest.raises(CannotRender) as refused:
        to_xml(wrong)
    assert "robot" not in str(refused.value)


def test_names_of_types() -> None:
    assert is_resource("CarePlan")
    assert not any(is_resource(n) for n in ("Resource", "DomainResource", "Period", "x", ""))
    assert shape_of("string") is None
    with pytest.raises(Malformed):
        from_xml(b'<Period xmlns="http://hl7.org/fhir"/>')
