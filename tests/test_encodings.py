"""UTF-8 as the launcher's interpreter has it: as everybody's, and everything else is the standard library's."""

import codecs
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_credential_hf import encodings
from tests.conftest import EXECUTABLE
from tests.installed import VERSION

OURS = encodings.search_function("utf_8")
ITS_OWN = codecs.lookup("utf-8")

ERRORS = st.sampled_from(["strict", "ignore", "replace", "backslashreplace", "surrogateescape"])
TEXTS = st.text(st.characters(codec=None, categories=None))


def outcome(codec: Callable[..., object], *arguments: object) -> object:
    """What a codec gives, or the error that it raises."""
    try:
        return codec(*arguments)
    except UnicodeError as error:
        return type(error), error.args


@given(TEXTS, ERRORS)
def test_text_is_encoded_as_everywhere(text: str, errors: str) -> None:
    assert OURS is not None
    assert outcome(OURS.encode, text, errors) == outcome(ITS_OWN.encode, text, errors)
    ours, other = OURS.incrementalencoder(errors), ITS_OWN.incrementalencoder(errors)
    assert outcome(ours.encode, text, True) == outcome(other.encode, text, True)


@given(st.binary(), ERRORS)
def test_bytes_are_decoded_as_everywhere(data: bytes, errors: str) -> None:
    assert OURS is not None
    assert outcome(OURS.decode, data, errors) == outcome(ITS_OWN.decode, data, errors)


@given(st.lists(st.binary(max_size=5) | st.text(max_size=3).map(str.encode), max_size=6), ERRORS)
def test_bytes_are_decoded_piece_by_piece_as_everywhere(pieces: list[bytes], errors: str) -> None:
    assert OURS is not None
    ours, other = OURS.incrementaldecoder(errors), ITS_OWN.incrementaldecoder(errors)
    for number, piece in enumerate(pieces, 1):
        final = number == len(pieces)
        assert outcome(ours.decode, piece, final) == outcome(other.decode, piece, final)


def test_beside_the_standard_librarys_it_stands_back() -> None:
    assert encodings.search_function("latin_1") == codecs.lookup("latin-1")
    assert encodings.search_function("no_such_codec") is None
    assert encodings.give_way() is sys.modules["encodings"]
    assert encodings.aliases is sys.modules["encodings.aliases"]


ENVIRONMENT = Path(EXECUTABLE).resolve().parent.parent


@pytest.fixture(scope="module")
def launcher() -> str:
    """The text of the installed launcher, but for its last line, which runs the program."""
    subprocess.run([EXECUTABLE, "--version"], capture_output=True, check=True)
    text = Path(EXECUTABLE).resolve().read_text()
    assert text.startswith(f"#!{ENVIRONMENT}/lib/git-credential-hf/python ")
    assert text.endswith("exec(code)\n")
    return text.removesuffix("exec(code)\n")


@pytest.mark.parametrize(
    "code",
    [
        "print('\u00e4', sys.stdout.encoding, sys.getfilesystemencoding())",
        "print(b'\\x80'.decode('cp1252'), '\u00e4'.encode('idna'))",
        "import codecs; print(codecs.encode('abc', 'rot13'), codecs.lookup('utf-8').streamreader)",
        "import encodings; print(encodings.aliases.aliases['latin'])",
        "import encodings.idna; print(encodings.idna.ToASCII('\u00e4'))",
        "from encodings import utf_8, latin_1 as one; print(utf_8.__name__, one.__name__)",
        "import locale; print(locale.normalize('de_de.UTF8'))",
        "import subprocess; print(subprocess.run(['echo', 'x'], capture_output=True, text=True).stdout)",
        "import os, site; site.main(); print(os.__file__, sys.prefix, sys.path)",
        "import sysconfig; print(sysconfig.get_paths())",
        "'x'.encode('no-such-codec')",
        "import encodings.nothing",
    ],
)
def test_what_asks_for_more_is_given_what_any_other_start_gives(launcher: str, tmp_path: Path, code: str) -> None:
    program, other = tmp_path / "program", tmp_path / "other"
    program.write_text(f"{launcher}{code}\n")
    program.chmod(0o755)
    other.write_text(f"import sys\n{code}\n")
    outcomes = []
    for command in ([str(program)], [f"{ENVIRONMENT}/bin/{VERSION}", "-ISXutf8", str(other)]):
        done = subprocess.run(command, capture_output=True, check=False, env={})
        outcomes.append((done.returncode, done.stdout, done.stderr.splitlines()[-1:]))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0] != (0, b"", [])


def test_other_packages_are_given_the_standard_librarys(launcher: str, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(
        f"{launcher}"
        "ours = sys.modules['encodings'].__file__\n"
        f"sys.path.insert(0, '{ENVIRONMENT}/lib/{VERSION}/site-packages')\n"
        "from git_credential_hf import packages\n"
        "packages.enable()\n"
        "import encodings, codecs, secretstorage\n"
        "print(ours, encodings.__file__, codecs.lookup('utf-8').streamreader.__module__, sep='\\n')\n"
    )
    program.chmod(0o755)
    done = subprocess.run([program], capture_output=True, text=True, check=True, env={})
    folder, its_own = f"{ENVIRONMENT}/lib/git-credential-hf", sys.modules["encodings"].__file__
    assert done.stdout == f"{folder}/encodings.py\n{its_own}\nencodings.utf_8\n"
