"""What leaves keeps the rules of the profiles it declares, or does not leave.

The check is made before a document is frozen, by the validator that also judges what comes in: a
message that its receiver must refuse is an operator's task here, not a failure there.
"""

from __future__ import annotations

from hub.contract import Rendered
from hub.errors import CannotRender
from hub.fhir.codec import parse_json
from hub.services.hub import Hub

_FHIR = "application/fhir+json"


def conforming(hub: Hub, rendered: Rendered) -> Rendered:
    """The document itself; other formats than FHIR are their adapter's own concern.

    Raises CannotRender with every issue, and the first in its text.
    """
    if rendered.media_type.partition(";")[0].strip() != _FHIR:
        return rendered
    found = hub.validator.check([parse_json(rendered.body)])
    wrong = tuple(i for i in found if i.severity in {"error", "fatal"})
    if wrong:
        text = f"It would break its own profile at {wrong[0].expression}: {wrong[0].text}"
        raise CannotRender(text, issues=wrong)
    return rendered
