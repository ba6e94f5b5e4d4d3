"""What is made for a receiver is validated before it leaves, where a validator stands by."""

from __future__ import annotations

from hub.contract import Rendered
from hub.errors import CannotRender
from hub.fhir.codec import parse_json
from hub.fhir.xml import from_xml
from hub.ports import Validator


def check_outgoing(validator: Validator | None, made: Rendered) -> None:
    """Raises CannotRender for FHIR that is not valid, and what the validator raises.

    The operator's move: the fault is the hub's or the adapter's, never the receiver's.
    """
    kind = made.media_type.partition(";")[0].strip()
    if validator is None or kind not in {"application/fhir+json", "application/fhir+xml"}:
        return
    resource = parse_json(made.body) if kind.endswith("json") else from_xml(made.body)
    wrong = [i for i in validator.check([resource]) if i.severity in {"fatal", "error"}]
    if wrong:
        at = f" at {wrong[0].expression}" if wrong[0].expression else ""
        raise CannotRender(
            f"The validator refuses what was made: {wrong[0].text}{at}", issues=tuple(wrong)
        )
