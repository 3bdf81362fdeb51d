"""Where the files are that a person writes for this program."""


def tokens_toml(environ: dict[bytes, bytes]) -> bytes:
    """Return the path of tokens.toml, which need not be there."""
    folder = environ.get(b"XDG_CONFIG_HOME", b"")
    if not folder.startswith(b"/"):  # XDG Base Directory Specification: a relative one is to be ignored
        import os.path

        folder = (environ.get(b"HOME") or os.path.expanduser(b"~")) + b"/.config"
    return folder + b"/git-credential-hf/tokens.toml"
