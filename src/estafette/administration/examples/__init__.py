"""The files that the README shows: two registrations, a campaign, the application of a team; all fictitious.

A file is read by `example("platform-a")`; it is what a person would deposit.
"""

from importlib.resources import files

NAMES = ("platform-a", "platform-b", "campaign", "application")


def example(name: str) -> bytes:
    """Return the bytes of the example of this name, one of `NAMES`."""
    return files(__name__).joinpath(f"{name}.yaml").read_bytes()
