"""Discharge agreement and coordination plan (psykiatriloven §§ 13 a and 13 b), in and out.

One schema, ``udskrivningsaftale-1.0.xsd``, with a root for each; the translation is
``mappings/udskrivningsaftale/``. The agreement is re-issued to its owner with others' content for
information. A coordination plan is made without the citizen's consent: it is never part of a
shared plan, holds nothing of one, and is re-issued as itself only.
"""

from __future__ import annotations

from adapters.udskrivningsaftale.parse import FORMAT, parse
from adapters.udskrivningsaftale.render import render
from adapters.xml_plan import XmlPlan

ADAPTER = XmlPlan(FORMAT, parse, render)
