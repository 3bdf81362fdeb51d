"""What one run of a command is asked to do, and the command line that asks for it once more."""

from git_credential_hf.cli.output import quoted
from git_credential_hf.model import token_text

# The options by their attributes: each is written where it differs from what is so without it.
_OPTIONS = {
    "source": "--from",
    "with_token": "--with-token",
    "scope": "--scope",
    "user": "--user",
    "host": "--host",
    "keyring": "--no-keyring",
    "cache": "--no-cache",
    "require_keyring": "--require-keyring",
    "optional": "--optional",
    "strict": "--strict",
    "force": "--force",
    "git_lfs": "--git-lfs",
    "dry_run": "--dry-run",
    "quiet": "--quiet",
    "configure": "--no-configure",
    "online": "--offline",
    "revoke": "--revoke",
    "yes": "--yes",
    "unlock": "--unlock",
    "timeout": "--timeout",
}


class Asked:
    """Base of what a command is asked to do: each attribute is the option of that name.

    command: the name of the command.
    """

    command = ""

    def again(self, **changed: str | bool) -> str:
        """Return the command line that asks for the same, but for `changed` attributes, quoted for a shell.

        A token or a password in it is masked.
        """
        words = ["git-credential-hf", self.command]
        without_options = vars(type(self)())
        given = vars(self) | changed
        for name, option in _OPTIONS.items():
            value = given.get(name)
            if value == without_options.get(name):
                continue
            words.append(option)
            if isinstance(value, str | bytes):
                words.append(token_text.hide_passwords(quoted(value)))
        return " ".join(words)
