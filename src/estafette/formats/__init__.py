"""Bytes and the model: reading and writing what the field exchanges."""
