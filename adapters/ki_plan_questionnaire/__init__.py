"""The template A-J as a FHIR Questionnaire whose initial values are the plan. Outbound only."""

from adapters.ki_plan_questionnaire.adapter import ADAPTER

__all__ = ["ADAPTER"]
