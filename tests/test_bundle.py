"""The bundle, from inside: what no run can be made to meet at the right instant."""

import io
from pathlib import Path

import pytest

from git_credential_hf import bundle, start


def test_a_source_that_an_upgrade_replaces_meanwhile_is_not_noted_as_the_one_that_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "probe.py"
    source.write_text(f"{bundle._NO_STATE}\n{bundle._NO_MODULES}\n")
    before = start.state(str(source))

    def opened_then_replaced(file: str, encoding: str) -> io.StringIO:
        text = io.StringIO(Path(file).read_text(encoding))
        source.write_text("new = True\n")
        return text

    monkeypatch.setattr(start, "_folder", str(tmp_path))
    monkeypatch.setattr(bundle, "open", opened_then_replaced, raising=False)
    _, noted, code = bundle._module("git_credential_hf.probe")
    assert (noted, "_STATE" in code.co_names) == (before, True)
    source.write_text(f"{bundle._NO_STATE}\n{bundle._NO_MODULES}\n")
    before = start.state(str(source))
    assert before in bundle._start(str(source), ()).co_consts
