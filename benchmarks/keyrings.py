"""gnome-keyrings of any size on private buses, filled before they start."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from git_credential_hf.model import repository
from git_credential_hf.model.item import SEEDED, Item
from tests.providers import GnomeKeyring

HOST = repository.HUB.decode()
HF_USER = repository.HF_USER.decode()

_LIBSECRETS_SCHEMA = "org.gnome.keyring.NetworkPassword"  # what Debian 12's git-credential-libsecret asks for


@dataclass(frozen=True)
class Stored:
    """One item: what finds it, and its secret."""

    attributes: dict[str, str]
    secret: str


def ours(token: str, scope: str = "") -> Stored:
    """Return the item that `git-credential-hf seed` makes."""
    made = Item(repository.HUB, scope.encode(), repository.HF_USER, bearer=False, origin=SEEDED)
    return stored(made, token)


def stored(made: Item, secret: str) -> Stored:
    """Return an item of this program's with `secret` in it."""
    return Stored({name.decode(): value.decode() for name, value in made.attributes().items()}, secret)


def libsecrets(token: str, host: str = HOST, path: str = "") -> Stored:
    """Return the item that `git-credential-libsecret store` makes."""
    attributes = {"xdg:schema": _LIBSECRETS_SCHEMA, "protocol": "https", "server": host, "user": HF_USER}
    return Stored(attributes | ({"object": path} if path else {}), token)


def others(count: int) -> list[Stored]:
    """Return credentials for as many other hosts."""
    return [libsecrets("not asked for", host=f"host-{number}.example") for number in range(count)]


def keyring(folder: Path, items: Iterable[Stored]) -> GnomeKeyring:
    """Start a gnome-keyring that holds `items` in its default collection.

    They are put into its file, in the plain form that it reads, and that it encrypts at the first write: asked to
    create them one by one, it writes the whole file for each.
    """
    lines = ["[keyring]", "display-name=login", "ctime=0", "mtime=0", "lock-on-idle=false", "lock-after=false"]
    for number, stored in enumerate(items, 1):
        lines += ["", f"[{number}]", "item-type=0", f"display-name={number}", f"secret={stored.secret}"]
        lines += ["mtime=0", "ctime=0"]
        for place, (name, value) in enumerate(stored.attributes.items()):
            lines += ["", f"[{number}:attribute{place}]", f"name={name}", "type=string", f"value={value}"]
    keyrings = folder / "data" / "keyrings"
    keyrings.mkdir(parents=True, mode=0o700)
    (keyrings / "login.keyring").write_text("\n".join(lines) + "\n")
    (keyrings / "default").write_text("login")
    return GnomeKeyring(folder)
