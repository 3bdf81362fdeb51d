"""What bytes may be in a value: control characters, UTF-8, what a command line takes as it stands."""

_C0_AND_DEL = bytes(range(32)) + b"\x7f"
_PLAIN = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:-"


def has_control(text: bytes) -> bool:
    """Return whether `text` has a control character (C0, DEL, or C1 in UTF-8): some reader may end a line there."""
    if text.translate(None, _C0_AND_DEL) != text:
        return True
    return b"\xc2" in text and any(b"\xc2%c" % second in text for second in range(0x80, 0xA0))


def is_text(value: bytes) -> bool:
    """Return whether `value` is UTF-8, which is all that a keyring's attribute can hold."""
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_plain_word(value: bytes) -> bool:
    """Return whether `value` can stand in a command to paste without quotes, and is no option there."""
    return bool(value) and value[:1].isalnum() and not value.translate(None, _PLAIN)
