"""KI-hub: shares the koordinerende indsatsplan (KI-plan) between sectors."""

__version__ = "0.1.0"
