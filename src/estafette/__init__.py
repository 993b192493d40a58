"""Estafette: the French electronic invoicing system, whole and real, in one program."""

__version__ = "0.1.0"
