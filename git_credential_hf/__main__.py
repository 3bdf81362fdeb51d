"""The entry: git's operations go to operations, people's commands to cli."""

import posix
import sys

from git_credential_hf import options

_CAPABILITIES = b"version 0\ncapability authtype\n"
_CHUNK = 4096  # a larger buffer costs more than reading again


def main() -> int:
    """Run what the command line of this process says; return the exit code."""
    encoding = sys.getfilesystemencoding()
    return run([argument.encode(encoding, "surrogateescape") for argument in sys.argv[1:]], dict(posix.environ))


def run(arguments: list[bytes], environ: dict[bytes, bytes]) -> int:
    """Run the command that `arguments` (without the program's name) give; return the exit code.

    It reads standard input, and writes standard output and standard error, by their file descriptors.
    """
    try:
        _open_standard_streams()
        return _run(arguments, environ)
    except options.UsageError as error:
        line = str(error)
        say(f"{line}{'' if line.endswith('?') else '.'} Try: {error.remedy or 'git-credential-hf --help'}")
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0  # git has stopped listening, and needs no answer
    except StandardStreamError as error:
        say(str(error))
        return 1
    except Exception as error:  # what an error says could hold a token, so only its kind is told
        from errno import EMFILE

        if isinstance(error, OSError) and error.errno == EMFILE:
            say("this process has reached its limit of open files. Try: ulimit -n 1024")
        else:
            say(f"unexpected {type(error).__name__}; please report what was run")
        return 1


class StandardStreamError(Exception):
    """Standard input cannot be read, or standard output not be written; the text says why."""


def say(line: str) -> None:
    """Write one line to standard error, under the program's name.

    A path in it may have a token in it, or what steers a terminal.
    """
    from git_credential_hf.model.token_text import hide

    line = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in hide(line))
    try:
        posix.write(2, f"git-credential-hf: {line}\n".encode())
    except OSError:
        pass  # nobody listens, and git still has to have its answer


def _run(arguments: list[bytes], environ: dict[bytes, bytes]) -> int:
    if arguments[:1] == [b"token"] and len(arguments) <= 2 and not arguments[-1].startswith(b"-"):
        return _print_token(arguments[1:], options.Options(environ))
    chosen, rest = options.Options(environ), arguments
    if arguments and arguments[0].startswith(b"-"):
        try:
            chosen, rest = options.parse(arguments, environ)
        except options.UnknownOption:
            rest = []  # to be named by those who know what else it may be
    if len(rest) == 1 and rest[0] in options.ACTIONS:
        return _answer_git(rest[0], chosen)
    return _run_for_person(arguments, environ)


def _print_token(urls: list[bytes], chosen: options.Options) -> int:
    from git_credential_hf.cli.commands import token

    _trace(chosen, "token")
    try:
        found = token.find(urls[0] if urls else None, chosen)
    except token.NoToken as reason:
        say(str(reason))
        return 1
    _write(found.text + b"\n")
    return 0


def _run_for_person(arguments: list[bytes], environ: dict[bytes, bytes]) -> int:
    import os

    from git_credential_hf.startup import third_party

    # Python has none for a stream that was closed, and the null device is there by now.
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")
    third_party.enable()
    from git_credential_hf.cli import parser

    try:
        return parser.main([os.fsdecode(argument) for argument in arguments], environ)
    finally:
        _make_bundle()


def _make_bundle() -> None:
    try:
        from git_credential_hf.startup import bundle

        bundle.make()
    except Exception:  # noqa: S110 - what the person asked for is done, and git only waits a little longer
        pass


def _answer_git(action: bytes, chosen: options.Options) -> int:
    if action == b"capability":
        _write(_CAPABILITIES)
        return 0
    _trace(chosen, action.decode())
    from git_credential_hf.model.request import Malformed

    answer = b""
    try:
        if action == b"get":
            from git_credential_hf.operations.get import get

            answer, complaint = get(chosen, _request())
        elif action == b"store":
            from git_credential_hf.operations.store import store

            complaint = store(chosen, _request())
        else:
            from git_credential_hf.operations.erase import erase

            complaint = erase(chosen, _request())
    except Malformed as error:
        say(f"git's request was refused: {error}")
        return 1
    _write(answer)
    if complaint:
        say(complaint)
    return 0


def _trace(chosen: options.Options, what: str) -> None:
    """Have each step traced where GIT_CREDENTIAL_HF_TRACE asks for it."""
    if options.trace_target(chosen.environ):
        from git_credential_hf.state import trace

        trace.begin(chosen, what)


def _request() -> bytes:
    from git_credential_hf.model.request import MAX_INPUT, is_complete

    data = b""
    try:
        while len(data) <= MAX_INPUT and not is_complete(data) and (chunk := posix.read(0, _CHUNK)):
            data += chunk
    except OSError as error:
        raise StandardStreamError(f"git's request cannot be read: {error.strerror}") from None
    return data


def _write(answer: bytes) -> None:
    try:
        while answer:
            answer = answer[posix.write(1, answer) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StandardStreamError(f"the answer cannot be written: {error.strerror}") from None


def _open_standard_streams() -> None:
    """Put the null device where a standard stream is closed: what is opened next would be taken for it."""
    for number in (0, 1, 2):
        try:
            posix.fstat(number)
        except OSError:
            posix.open("/dev/null", posix.O_RDWR)


if __name__ == "__main__":
    sys.exit(main())
