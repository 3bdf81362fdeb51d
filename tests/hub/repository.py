"""A repository of the Hub: a bare git repository and the LFS objects that belong to it."""

import hashlib
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import quote

_SPEC = b"version https://git-lfs.github.com/spec/v1\n"
_POINTER = re.compile(re.escape(_SPEC) + rb"oid sha256:([0-9a-f]{64})\nsize (\d+)\n")
_LARGEST_POINTER = 1024
_COMMITTER = "Hub <hub@huggingface.co> 1700000000 +0000"


def git_environ() -> dict[str, str]:
    """The environment of every git that the Hub itself runs: no configuration but the repository's own."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "LC_ALL": "C.UTF-8",
    }


def pointer(content: bytes) -> bytes:
    """The LFS pointer that stands for `content` in a commit (git-lfs's docs/spec.md)."""
    return _SPEC + f"oid sha256:{hashlib.sha256(content).hexdigest()}\nsize {len(content)}\n".encode()


@dataclass(frozen=True)
class Entry:
    """One file of a commit: `oid` is its git blob, `lfs` the sha256 of what its pointer stands for."""

    path: str
    oid: str
    size: int
    lfs: str | None
    pointer_size: int | None


@dataclass
class Repository:
    """`path` is org/name, or that after datasets/, spaces/, kernels/ or buckets/; `git_dir` its bare repository.

    `private` and `gated` may be changed at any time.
    """

    path: str
    git_dir: Path
    private: bool = False
    gated: bool = False
    _entries: dict[str, list[Entry]] = field(default_factory=dict, repr=False)

    @property
    def url(self) -> str:
        """Where git clones it from, and where a person accepts the conditions of a gated one."""
        return f"https://huggingface.co/{self.path}"

    @property
    def kind(self) -> str:
        """What it is: model, dataset or space."""
        prefix = self.path.split("/")[0]
        return {"datasets": "dataset", "spaces": "space"}.get(prefix, "model")

    @property
    def namespace(self) -> str:
        """The user or organization that owns it."""
        return self.path.split("/")[-2]

    @property
    def objects(self) -> Path:
        """The directory of its LFS objects, each a file named by its sha256."""
        return self.git_dir / "lfs"

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Standard output of `git ARGUMENTS` in the bare repository; raises CalledProcessError."""
        command = ["git", "--git-dir", str(self.git_dir), *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, check=True, env=git_environ()).stdout

    def init(self, files: Mapping[str, str | bytes], lfs: Mapping[str, bytes]) -> None:
        """Make the bare repository with one commit of `files` and of pointers to `lfs` on its branch main."""
        self.git_dir.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--initial-branch=main")
        self.objects.mkdir()
        blobs = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
        if lfs:
            blobs.setdefault(".gitattributes", _attributes(lfs))
        for name, content in lfs.items():
            blobs[name] = pointer(content)
            (self.objects / hashlib.sha256(content).hexdigest()).write_bytes(content)
        if blobs:
            self.git("fast-import", "--quiet", stdin=_fast_import(blobs))

    def commit(self, revision: str) -> str | None:
        """The commit that a branch, tag or hash names, or None."""
        try:
            found = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
        except subprocess.CalledProcessError:
            return None
        return found.decode().strip()

    def entries(self, commit: str) -> list[Entry]:
        """All files of a commit, in git's order."""
        if commit not in self._entries:
            self._entries[commit] = self._read_entries(commit)
        return self._entries[commit]

    def entry(self, commit: str, path: str) -> Entry | None:
        """One file of a commit, or None."""
        return next((entry for entry in self.entries(commit) if entry.path == path), None)

    def tree(self, commit: str, path: str) -> str:
        """The hash of a directory of a commit."""
        return self.git("rev-parse", f"{commit}:{path}").decode().strip()

    def blob(self, oid: str) -> bytes:
        """The content of a git blob."""
        return self.git("cat-file", "blob", oid)

    def store(self, oid: str, source: IO[bytes]) -> bool:
        """Keep an LFS object; False, and nothing kept, if `source` does not have this sha256."""
        digest = hashlib.sha256()
        partial = self.objects / f"{oid}.{os.urandom(8).hex()}"
        with partial.open("xb") as file:
            while block := source.read(1 << 16):
                digest.update(block)
                file.write(block)
        if digest.hexdigest() != oid:
            partial.unlink()
            return False
        partial.replace(self.objects / oid)
        return True

    def _read_entries(self, commit: str) -> list[Entry]:
        listed: list[tuple[str, str, int]] = []
        for line in self.git("ls-tree", "-r", "-l", "-z", commit).split(b"\0")[:-1]:
            description, _, path = line.partition(b"\t")
            _, kind, oid, size = description.split()
            if kind == b"blob":
                listed.append((path.decode(), oid.decode(), int(size)))
        pointers = self._pointers([oid for _, oid, size in listed if size < _LARGEST_POINTER])
        return [
            Entry(path, oid, pointers[oid][1], pointers[oid][0], size)
            if oid in pointers
            else Entry(path, oid, size, None, None)
            for path, oid, size in listed
        ]

    def _pointers(self, oids: list[str]) -> dict[str, tuple[str, int]]:
        """sha256 and size of what each blob stands for, for those of `oids` that are LFS pointers."""
        rest = self.git("cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in oids).encode())
        found: dict[str, tuple[str, int]] = {}
        for oid in oids:
            header, _, rest = rest.partition(b"\n")
            size = int(header.split()[2])
            if match := _POINTER.fullmatch(rest[:size]):
                found[oid] = (match[1].decode(), int(match[2]))
            rest = rest[size + 1 :]
        return found


def _attributes(lfs: Mapping[str, bytes]) -> bytes:
    """A .gitattributes that has git-lfs handle the files of `lfs`, by suffix as the Hub does."""
    patterns = {f"*{PurePosixPath(name).suffix}" if "." in name else name for name in lfs}
    lines = [f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in sorted(patterns)]
    return "".join(lines).encode()


def _fast_import(blobs: Mapping[str, bytes]) -> bytes:
    """The git-fast-import(1) stream of one commit on main."""
    stream = [f"commit refs/heads/main\ncommitter {_COMMITTER}\ndata 14\ninitial commit\n".encode()]
    for name, content in blobs.items():
        # Quoted as fast-import wants it, so that a name may hold any character.
        quoted = '"{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
        stream.append(f"M 100644 inline {quoted}\ndata {len(content)}\n".encode() + content + b"\n")
    return b"".join(stream)


def href(path: str) -> str:
    """A repository's or a file's path as it stands in a URL."""
    return quote(path, safe="/")
