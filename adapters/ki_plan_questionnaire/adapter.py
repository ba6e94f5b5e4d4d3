"""The ``ki-plan-questionnaire`` format; why it is one is told in docs/decisions/0010-*.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from adapters.fhir.terms import PLAN_ID
from adapters.ki_plan_questionnaire.items import items
from adapters.ki_plan_xml.render import form
from adapters.out_only import OutOnly
from hub.contract import (
    Context,
    Loss,
    Notice,
    Party,
    PlanView,
    Receipt,
    Rendered,
    Resource,
)
from hub.errors import CannotRender
from hub.fhir.codec import dump_json
from hub.mapping.paths import leaves

MEDIA_TYPE: Final = "application/fhir+json"

_LINKS: Final = frozenset(
    {"performer", "actor", "role", "valueReference", "organization", "generalPractitioner"}
)
_NAMED: Final = "the form names whom it means, without a reference"
_CASE: Final = "the form has no place for the lead's own case id"


class QuestionnaireAdapter(OutOnly):
    """Renders a view as one Questionnaire; nothing comes in."""

    format = "ki-plan-questionnaire"
    refusal = "A questionnaire is for reading; send the plan as ki-plan-xml or fhir"

    def render(
        self, content: PlanView | Notice | Receipt, receiver: Party, context: Context
    ) -> Rendered:
        """The Questionnaire; raises CannotRender as :func:`adapters.ki_plan_xml.render.form`."""
        if not isinstance(content, PlanView):
            raise CannotRender("A questionnaire carries a plan, not a notice or a receipt")
        root, losses = form(content, receiver, context)
        resource = _questionnaire(content, root, context)
        return Rendered(
            dump_json(resource),
            MEDIA_TYPE,
            losses=(*losses, *_form_losses(content)),
        )


def _questionnaire(view: PlanView, root: etree._Element, context: Context) -> Resource:
    return {
        "resourceType": "Questionnaire",
        "id": context.id_for("questionnaire"),
        "language": "da",
        "identifier": [{"system": PLAN_ID, "value": view.plan_id}],
        "version": str(view.version),
        "title": "Koordinerende indsatsplan",
        "status": "active",
        "subjectType": ["Patient"],
        "date": context.now.isoformat(timespec="seconds"),
        "publisher": context.sender.name,
        "item": items(root),
    }


def _form_losses(view: PlanView) -> Iterator[Loss]:
    """What the filled template holds and a form for people does not."""
    for key, resource in view.resources.items():
        for path, _ in leaves(resource):
            if path.endswith("/reference") and path.split("/")[-2].split("[")[0] in _LINKS:
                yield Loss(f"{key}/{path}", "coarsened", _NAMED)
            elif key.startswith("CarePlan/") and path.startswith("identifier["):
                yield Loss(f"{key}/{path}", "dropped", _CASE)


ADAPTER = QuestionnaireAdapter()
