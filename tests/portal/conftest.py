"""The whole system for the tests of the portal: one for all of them, and a fresh one where a test needs it."""

from tests.platform.conftest import own_world, pytest_generate_tests, shared_world, world

__all__ = ["own_world", "pytest_generate_tests", "shared_world", "world"]
