"""MedCom CareCommunication 5.0 out, MedCom Acknowledgement 2.0 and CareCommunication in."""

from __future__ import annotations

from typing import Final

from adapters.medcom.acknowledgement import acknowledge
from adapters.medcom.adapter import MedComAdapter
from hub.contract import Adapter

ADAPTER: Final[Adapter] = MedComAdapter()

__all__ = ["ADAPTER", "MedComAdapter", "acknowledge"]
