"""The region's psychiatric treatment plan (psykiatrisk behandlingsplan), in and out.

The schema is ``behandlingsplan-1.0.xsd``, the translation ``mappings/behandlingsplan/``. Outbound
is only ever a re-issue of the owner's own last document (design: a render never creates a
document of a kind that only its owner may make).
"""

from __future__ import annotations

from adapters.behandlingsplan.parse import FORMAT, parse
from adapters.xml_plan import XmlPlan

ADAPTER = XmlPlan(FORMAT, parse)
