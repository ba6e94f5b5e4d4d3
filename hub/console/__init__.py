"""The operator's web pages, and a form page for a citizen's decisions. Danish and English.

Server-rendered; everything works without JavaScript. Calls services only. An operator's page
never holds a citizen's name or number, nor a word of a plan.
"""

from hub.console.app import mount
from hub.console.visit import Demo

__all__ = ["Demo", "mount"]
