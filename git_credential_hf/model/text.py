"""What bytes may be in a value: control characters, UTF-8."""

_C0_AND_DEL = bytes(range(32)) + b"\x7f"


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
