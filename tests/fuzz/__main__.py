"""Run a target: python -m tests.fuzz TARGET FOLDER OPTIONS. FOLDER keeps the inputs that reached something new."""

import importlib
import sys
from pathlib import Path

import atheris


def main() -> None:
    """Put the target's seeds and words into the folder, and fuzz as libFuzzer's OPTIONS say."""
    name, place, *more = sys.argv[1:]
    with atheris.instrument_imports(include=["git_credential_hf"]):
        target = importlib.import_module(f"tests.fuzz.{name}")
    folder = Path(place)
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.SEEDS):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = ("".join(f"\\x{byte:02x}" for byte in word) for word in target.WORDS)
    (folder / "words").write_text("".join(f'"{word}"\n' for word in words))
    given = [f"-dict={folder}/words", f"-artifact_prefix={folder}/", *more, str(corpus)]
    atheris.Setup([sys.argv[0], *given], target.one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
