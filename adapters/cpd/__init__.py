"""CPD-DK 2.0.0, MedCom's CDA R2 care plan document. Outbound only, experimental.

No national CPD profile for the KI-plan exists, and MedCom's own examples and checks disagree in
places; what is made here has been held against the published identifiers only, never accepted by
a receiver.
"""

from adapters.cpd.adapter import ADAPTER

__all__ = ["ADAPTER"]
