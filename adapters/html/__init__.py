"""The plan as one accessible web page: the template A-J, the citizen's version, and notices."""

from adapters.html.adapter import ADAPTER

__all__ = ["ADAPTER"]
