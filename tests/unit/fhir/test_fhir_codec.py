"""Bytes to values: what may cost more than it weighs, or cannot be kept, is refused at once."""

from __future__ import annotations

from copy import deepcopy

import pytest

from hub.errors import InputRefused, Malformed, TooLarge
from hub.fhir.codec import dump_json, parse_json, parse_kept
from hub.fhir.xml import from_xml


@pytest.mark.parametrize(
    "number",
    ["1e999999999", "-1E+999999999", "1e-999999999", "0e999999999", "9" * 5000, "0." + "1" * 5000],
)
def test_a_number_beyond_any_measure_is_refused_before_it_is_made(number: str) -> None:
    with pytest.raises(TooLarge) as caught:
        parse_json(f'{{"total":{number}}}'.encode())
    assert number not in str(caught.value)


def test_such_a_number_is_refused_in_xml_too() -> None:
    xml = (
        '<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="1e9999"/>'
        "</valueQuantity></Observation>"
    )
    with pytest.raises(InputRefused):
        from_xml(xml.encode())


@pytest.mark.parametrize(
    "number", ["1.50", "1e3", "0.0000001", "-0", "-0.0", "1E+2", "123456789012345678"]
)
def test_a_number_keeps_its_lexeme(number: str) -> None:
    body = f'{{"value":{number}}}'.encode()
    assert dump_json(parse_json(body)) == body
    assert dump_json(parse_kept(body.decode())) == body
    assert dump_json(deepcopy(parse_json(body))) == body


@pytest.mark.parametrize("sign", ["\\u0000", "\\u000b", "\\u001f", "\\ufffe", "\\ud800"])
def test_a_character_that_fhir_forbids_is_refused(sign: str) -> None:
    for text in (f'{{"a":"x{sign}"}}', f'{{"a{sign}":"x"}}', f'{{"a":[{{"b":"{sign}"}}]}}'):
        with pytest.raises(Malformed):
            parse_json(text.encode())


def test_tabs_and_line_ends_and_all_of_unicode_are_kept() -> None:
    text = '{"a":"æøå\\t\\n\\r \\ud83d\\ude00"}'
    assert parse_json(text.encode())["a"] == "æøå\t\n\r 😀"
