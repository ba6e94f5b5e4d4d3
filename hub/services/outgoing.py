"""What leaves keeps the rules of the profiles it declares, or does not leave.

The check is made before a document is frozen, by the validator that also judges what comes in: a
message that its receiver must refuse is an operator's task here, not a failure there.
"""

from __future__ import annotations

from hub.contract import Rendered
from hub.errors import CannotRender
from hub.fhir.codec import parse_json
from hub.fhir.xml import from_xml
from hub.services.hub import Hub

_JSON = "application/fhir+json"
_XML = "application/fhir+xml"


def conforming(hub: Hub, rendered: Rendered) -> Rendered:
    """The document itself; other formats than FHIR are their adapter's own concern.

    Raises CannotRender with every issue, and the first in its text.
    """
    kind = rendered.media_type.partition(";")[0].strip()
    if kind not in {_JSON, _XML}:
        return rendered
    resource = parse_json(rendered.body) if kind == _JSON else from_xml(rendered.body)
    found = hub.validator.check([resource])
    wrong = tuple(i for i in found if i.severity in {"error", "fatal"})
    if wrong:
        text = f"It would break its own profile at {wrong[0].expression}: {wrong[0].text}"
        raise CannotRender(text, issues=wrong)
    return rendered
