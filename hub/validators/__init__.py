"""Validators outside the hub's own process, behind ``hub.ports.Validator``."""
