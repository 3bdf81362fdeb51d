"""Runs as other users, as the tests of the command line make them."""

from tests.cli.conftest import as_user, source

__all__ = ["as_user", "source"]
