"""The words of all that people read: one term for one thing, short sentences, and a linter for prose.

CONTRIBUTING.md has the glossary. A term here is found in any form of upper and lower case, and over the end of a line.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from git_credential_hf.cli.parser import COMMANDS
from tests.conftest import Run

ROOT = Path(__file__).parents[1]
MANUAL = ROOT / "docs/git-credential-hf.1"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
PACKAGE = sorted((ROOT / "git_credential_hf").rglob("*.py"))
FOLDERS = (
    ".ci",
    ".github",
    "benchmarks",
    "bin",
    "completions",
    "docs",
    "examples",
    "git_credential_hf",
    "nix",
    "scripts",
)
TREE = sorted(
    file
    for file in [*ROOT.glob("*"), *(file for folder in (*FOLDERS, "tests") for file in (ROOT / folder).rglob("*"))]
    if file.is_file() and file.suffix not in (".pyc", ".svg") and file != Path(__file__) and file.name != ".git"
)

LONGEST = 30  # words of a sentence

# Nowhere in the tree: the term, and what to write.
TERMS = {
    r"token cache": "token file",
    r"pass(es|ed|ing)? over": "skip",
    r"put(s|ting)? (\w+ ){0,2}away": "store",
    r"(taken|takes?|taking|took) (it |them |that |this |everything |what \w+ added )?back": "remove",
    r"with(hold|holds|held|holding)": "skip",
    r"left for login": "skipped",
    r"who would answer": "which credential git would use",
    r"(stays?|stayed|staying) silent": "does not handle",
    r"report (a|the) hole|a hole\b(?! in)": "vulnerability",
    r"none the worse": "name the effect",
    r"(stands?|stood|is|are|be) in the way": "problem",
    r"mend(s|ed|ing)?": "fix",
    r"declared no (more|longer)": "removed from tokens.toml",
    r"stands? for (anybody|anyone)": "the default username; the Hub ignores it",
    r"away again": "uninstall",
    r"beside other helpers": "comparison",
    r"cannot be helped": "known limits",
    r"as ever": "still",
    r"never lies?": "name the effect",
    r"reckon(s|ed|ing)? with": "consider",
    r"no such option before an action": "unknown option",
    r"what follows the action": "takes no arguments",
    r"(token|login|credential)s?( \w+){0,4} ha(s|ve) ended": "expired",
    r"(hub|server) (has )?refuse[sd]?": "rejects",
    r"refused tokens?": "rejected token",
    r"of which --?\w+ tells more": "see --help",
    r"\d+ items of ours": "tokens stored",
}

# Nor in what people are told, as documents, manual, help and messages.
FOR_PEOPLE = {
    r"address(es)? (of|that|in|at|has|is|was|with|to|for) (?!the bus)": "URL",
    r"for (an|the|this) address": "URL",
    r"items? of ours|ours(?! is)": "git-credential-hf's",
    r"nobody's|somebody's|whoever": "name the actor",
    r"is not there": "is missing; no such file",
    r"\w+ has it,": "as in",
    r"all the same": "still",
}


@dataclass(frozen=True)
class Text:
    """A text that a test reads, and where it is."""

    where: str
    text: str

    def __str__(self) -> str:
        return self.where


def found(texts: list[Text], terms: dict[str, str]) -> list[str]:
    """Return what is found of `terms`, for people."""
    patterns = {re.compile(rf"(?<![\w-])(?:{term})(?![\w-])", re.IGNORECASE): terms[term] for term in terms}
    any_of_them = re.compile("|".join(terms), re.IGNORECASE)
    return [
        f'{text.where}: "{match[0]}": write "{instead}"'
        for text in texts
        if any_of_them.search(joined := " ".join(text.text.split()))
        for pattern, instead in patterns.items()
        for match in pattern.finditer(joined)
    ]


def none(lines: list[str]) -> None:
    assert not lines, "\n".join(lines)


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


# --- what is read ----------------------------------------------------------------------------------------------------


def paragraphs(document: Path) -> Iterator[Text]:
    """Yield each paragraph, list item and cell of a page in Markdown, without code, comments and the marks of links."""
    text = re.sub(r"^```.*?^```$", lambda code: "\n" * code[0].count("\n"), document.read_text(), flags=re.M | re.S)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`[^`\n]*`", "`code`", text)
    for number, line in enumerate(text.splitlines(), 1):
        if re.fullmatch(r"[|:\- ]*", line):
            continue
        for cell in re.split(r"(?<!\\)\|", line):
            yield Text(f"{name(document)}:{number}", re.sub(r"^[\s#>*-]+|\*\*|\s+$", "", cell))


def manual() -> Iterator[Text]:
    """Yield each paragraph of the manual's source, without its macros and the synopsis."""
    words: list[str] = []
    literal = False
    source = re.sub(
        r"^\.Sh SYNOPSIS\n.*?(?=^\.Sh )", lambda part: "\n" * part[0].count("\n"), MANUAL.read_text(), flags=re.M | re.S
    )
    for number, line in enumerate(source.splitlines(), 1):
        macro, _, rest = line[1:].partition(" ") if line.startswith(".") else ("", "", line)
        literal = macro == "Bd" or (literal and macro != "Ed")
        if macro in ("Sh", "Ss", "Pp", "It", "Bd", "Ed", "Bl", "El", "Dd", "Dt", "Os"):
            yield Text(f"{name(MANUAL)}:{number}", " ".join(words))
            words = []
        elif not literal:
            words.append(re.sub(r"(^| )(Ar|Cm|Ev|Fl|Ic|Li|Ns|Op|Pa|Ql|Pq|Nm|No|Sx|Xr)(?= |$)", "", rest).strip())
    yield Text(name(MANUAL), " ".join(words))


def docstrings(tree: ast.Module) -> set[ast.expr]:
    """Return what stands where a docstring does."""
    return {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }


def strings(file: Path) -> Iterator[tuple[Text, bool]]:
    """Yield each string of a module, and whether it is a docstring; what is put into one is shown as {}."""
    tree = ast.parse(file.read_text())
    parts = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    of_docs = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) and node not in parts:
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
        else:
            continue
        yield Text(f"{name(file)}:{node.lineno}", text), node in of_docs


def comments(file: Path) -> Iterator[Text]:
    """Yield the comments of a module, those of lines that follow each other as one."""
    lines: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(file.read_text()).readline):
        if token.type != tokenize.COMMENT:
            continue
        if lines and token.start[0] != lines[-1][0] + 1:
            yield Text(f"{name(file)}:{lines[0][0]}", " ".join(text for _, text in lines))
            lines = []
        lines.append((token.start[0], token.string.lstrip("# ")))
    if lines:
        yield Text(f"{name(file)}:{lines[0][0]}", " ".join(text for _, text in lines))


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?:])\s+|(?<=\.\))\s+", text)


def too_long(texts: list[Text]) -> list[str]:
    """Return the sentences that have to be read twice, for people."""
    return [
        f"{text.where}: {len(words)} words: {sentence}"
        for text in texts
        for sentence in sentences(text.text)
        if len(words := re.findall(r"[\w'{}-]+", sentence)) > LONGEST
    ]


VALUES = ("is not there",)  # of JSON, which programs read
STRINGS = [string for file in PACKAGE for string in strings(file)]
MESSAGES = [text for text, is_doc in STRINGS if not is_doc and " " in text.text.strip() and text.text not in VALUES]
DOCSTRINGS = [text for text, is_doc in STRINGS if is_doc]
PAGES = [paragraph for document in DOCUMENTS for paragraph in paragraphs(document)]


# --- the terms -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", [*FOLDERS, "tests", "."])
def test_no_term_is_used_that_has_a_better_one(folder: str) -> None:
    files = [file for file in TREE if (file.parent == ROOT if folder == "." else ROOT / folder in file.parents)]
    assert files
    # A comment or a docstring goes on in the next line, after its mark.
    texts = [Text(name(file), re.sub(r"\n\s*(#|//)? *", " ", file.read_text(errors="replace"))) for file in files]
    none(found(texts, TERMS))


def test_what_people_read_has_their_words(run: Run) -> None:
    helps = [
        Text(f"{' '.join(arguments)} --help", run(*arguments, "--help").stdout.decode())
        for arguments in [(), *((command,) for command in COMMANDS)]
    ]
    assert all(help.text for help in helps)
    pages = [page for page in PAGES if not page.where.startswith("CONTRIBUTING.md")]
    none(found([*pages, *manual(), *helps, *MESSAGES], TERMS | FOR_PEOPLE))


def test_a_docstring_says_what_comes_out() -> None:
    none([text.where for text in DOCSTRINGS if text.text.startswith("Whether")])


def ended(texts: Iterator[Text]) -> str:
    """Return the texts as sentences, so that the linter sees no word repeated where two of them meet."""
    return "\n\n".join(re.sub(r"(?<![.:!?])$", ".", text.text) for text in texts if text.text)


# --- the sentences ---------------------------------------------------------------------------------------------------


def test_no_sentence_has_to_be_read_twice() -> None:
    none(too_long([*PAGES, *manual(), *MESSAGES]))


def test_no_sentence_has_a_clause_for_its_subject() -> None:
    none(
        [
            f"{text.where}: name the actor: {sentence}"
            for text in [*PAGES, *manual()]
            for sentence in sentences(text.text)
            if re.match(r"(What|Who|Whoever|Whatever|Which) .*\.$", sentence)
        ]
    )


def test_prose_passes_its_linter(tmp_path: Path) -> None:
    """proselint, without the typography that a terminal does not have."""
    (tmp_path / ".proselintrc.json").write_text('{"checks": {"typography": false}}')
    for document in DOCUMENTS:
        (tmp_path / document.name).write_text(ended(paragraphs(document)))
    (tmp_path / "manual.md").write_text(ended(manual()))
    linter = Path(sys.executable).with_name("proselint")
    done = subprocess.run(
        [linter, "check", *sorted(tmp_path.glob("*.md"))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0), done.stdout


# --- the checks themselves -------------------------------------------------------------------------------------------


def test_the_checks_find_what_they_look_for(tmp_path: Path) -> None:
    texts = [Text("a", "The Token\n cache is passed over."), Text("b", "It puts the token away, in order.")]
    assert found(texts, TERMS) == [
        'a: "Token cache": write "token file"',
        'a: "passed over": write "skip"',
        'b: "puts the token away": write "store"',
    ]
    assert found([Text("a", "the recommended way, amending an order")], TERMS) == []
    long = " ".join(["word"] * (LONGEST + 1))
    assert too_long([Text("a", f"Short. {long}.")]) == [f"a: {LONGEST + 1} words: {long}."]
    assert too_long([Text("a", f"{long[:60]}. {long[:60]}.")]) == []
    page = ROOT / "docs/how-it-works.md"
    assert not any("git clone https" in paragraph.text for paragraph in paragraphs(page))
    assert any("asked when" in paragraph.text for paragraph in paragraphs(page))
    assert any(
        text.text.startswith("git runs git-credential-hf") or "credential helper" in text.text for text in manual()
    )
