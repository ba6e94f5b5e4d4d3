"""Notices about a plan without its content: FHIR, or a small XML form."""

from adapters.ki_notice.adapter import ADAPTER

__all__ = ["ADAPTER"]
