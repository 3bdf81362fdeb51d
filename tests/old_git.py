"""git of old, of which no registry has a program: what is installed here, behind a script that lacks what came later.

Source: git's release notes: --show-scope came with 2.26, --fixed-value with 2.30, GIT_CONFIG_COUNT with 2.31 and
GIT_CONFIG_GLOBAL with 2.32.
"""

import shutil
from pathlib import Path

VERSION = "2.25.1"

_SCRIPT = """\
#!/bin/sh
for argument; do
    case $argument in --show-scope | --fixed-value)
        printf 'error: unknown option `%s\\nusage: git config [<options>]\\n' "${argument#--}" >&2
        exit 129 ;;
    esac
done
[ "$*" != version ] || { echo "git version @VERSION@"; exit; }
unset GIT_CONFIG_GLOBAL GIT_CONFIG_COUNT
exec @GIT@ "$@"
"""


def put(folder: Path) -> None:
    """Put it as `git` into `folder`, which is to be first on PATH."""
    folder.mkdir(exist_ok=True)
    program = folder / "git"
    program.write_text(_SCRIPT.replace("@VERSION@", VERSION).replace("@GIT@", shutil.which("git") or "/missing"))
    program.chmod(0o755)
