"""The pictures of the documents are of what the program writes now."""

import re
from html import unescape

import pytest

from tests import pictures


@pytest.mark.usefixtures("gnome_keyring")  # so that this is skipped where there can be none
def test_the_pictures_are_not_old() -> None:
    """If this fails, run scripts/pictures and look at them."""
    now = _without_versions(pictures.transcript(pictures.runs()))
    assert pictures.TOKEN not in now
    for name in pictures.PICTURES:
        picture = (pictures.DOCS / name).read_text()
        assert _without_versions(unescape(pictures.of_picture(picture))) == now, f"{name} is old: run scripts/pictures"
        assert re.search(r"url\((?!#)|href|@import|<script", picture) is None  # it loads nothing


def _without_versions(text: str) -> str:
    return re.sub(r"\d+(\.\d+)+", "N", text)
