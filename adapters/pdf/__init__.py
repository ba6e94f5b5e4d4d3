"""The plan on paper: the national template A-J, and the citizen's own version, as tagged PDF."""

from adapters.pdf.adapter import ADAPTER
from adapters.pdf.printer import PRINTER

__all__ = ["ADAPTER", "PRINTER"]
