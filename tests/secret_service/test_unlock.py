"""What becomes of `get` when a keyring is locked, and what would unlock it does not do as it should."""

import pytest
from jeepney import DBusAddress, Message, new_error
from jeepney.wrappers import new_signal

from tests.conftest import Environment, Run
from tests.secret_service.fake_bus import (
    ITEM,
    Body,
    Script,
    bus,
    provider,
    serialised,
    the_next_source_answers,
)

LOCKED: dict[str, Body] = {
    "GetNameOwner": ("s", ("",)),
    "SearchItems": ("aoao", ([], [ITEM])),
    "isOpen": ("b", (True,)),
    "AddMatch": ("", ()),
    "Prompt": ("", ()),
}


def locked(**answers: Body) -> Script:
    """A wallet that is open and calls itself locked, unless `answers` say otherwise."""
    return provider(LOCKED | answers)


def prompting(completed: Body) -> Script:
    """A locked provider whose prompt ends with `completed`, ahead of the reply to the call that set it going."""
    signal = new_signal(DBusAddress("/prompt", interface="org.freedesktop.Secret.Prompt"), "Completed", *completed)
    return provider(
        LOCKED | {"Unlock": ("aoo", ([], "/prompt"))},
        changed=lambda member, call, data: serialised(signal) + data if member == "Prompt" else data,
    )


def no_kwallet(**answers: Body) -> Script:
    """A locked provider that does not know isOpen, and that must not be made to show its dialog."""

    def changed(member: str, call: Message, data: bytes) -> bytes:
        assert member != "Prompt"
        return serialised(new_error(call, "org.freedesktop.DBus.Error.UnknownObject")) if member == "isOpen" else data

    return provider(LOCKED | answers, changed=changed)


FAULTS: dict[str, Script] = {
    "has locked items alone": locked(isOpen=("b", (False,))),
    "is no KWallet": no_kwallet(Unlock=("aoo", ([], "/prompt"))),
    "is no KWallet, and opens a part of it alone": no_kwallet(Unlock=("aoo", ([ITEM], "/prompt"))),
    "is KeePassXC": locked(GetNameOwner=("s", (":1.7",))),
    "answers isOpen with another type": locked(isOpen=("s", ("yes",))),
    "is open and unlocks nothing": locked(Unlock=("aoo", ([], "/"))),
    "is open and answers Unlock with another type": locked(Unlock=("ao", ([],))),
    "unlocks and is locked all the same": locked(Unlock=("aoo", ([ITEM], "/"))),
    "has a prompt that fails": provider(
        LOCKED | {"Unlock": ("aoo", ([], "/prompt"))},
        changed=lambda member, call, data: data if member != "Prompt"
        else serialised(new_error(call, "org.freedesktop.DBus.Error.UnknownObject", "s", ("why",))),
    ),
    "has a prompt that is dismissed": prompting(("bv", (True, ("s", "")))),
    "has a prompt that is completed with another type": prompting(("s", ("done",))),
    "has a prompt that is completed and stays locked": prompting(("bv", (False, ("ao", [])))),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_locked_keyring_at_fault(run: Run, environment: Environment, name: str) -> None:
    with bus(environment, FAULTS[name]):
        # None of these is waited out: what is plainly no answer is skipped as it comes.
        the_next_source_answers(run, environment, "--timeout", "3600")


def test_a_prompt_that_never_ends(run: Run, environment: Environment) -> None:
    with bus(environment, locked(Unlock=("aoo", ([], "/prompt")))):
        the_next_source_answers(run, environment, "--timeout", "0.2")
