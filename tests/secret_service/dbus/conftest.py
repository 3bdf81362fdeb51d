"""Runs as other users, as the tests of the command line make them."""

from tests.cli.conftest import anybodys_folder, as_user, source

__all__ = ["anybodys_folder", "as_user", "source"]
