"""The municipality's action plan (handleplan, **serviceloven** § 141), in and out.

No national format exists; the schema ``handleplan-141-1.0.xsd`` is the project's own, the
translation ``mappings/handleplan-141/``. Outbound is only ever a re-issue of the owner's own last
document.
"""

from __future__ import annotations

from adapters.handleplan_141.parse import FORMAT, parse
from adapters.xml_plan import XmlPlan

ADAPTER = XmlPlan(FORMAT, parse)
