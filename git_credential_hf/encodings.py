"""UTF-8 alone: what the launcher's interpreter finds in the place of the standard library's `encodings`.

An interpreter loads a module of this name before all else, to have the codec of its own text (Python/C API, "Codec
registry and support functions"). In the standard library that is three files, most of it the other names of a hundred
encodings, which git would wait for. This one has what the interpreter asks for. Asked for another encoding or module it
gives way; it is made to for other packages, since there are no readers and writers of streams in it.
"""

import codecs
import sys

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from types import ModuleType

    from _typeshed import ReadableBuffer


class _Encoder(codecs.IncrementalEncoder):
    def encode(self, text: str, final: bool = False) -> bytes:
        return codecs.utf_8_encode(text, self.errors)[0]


class _Decoder(codecs.BufferedIncrementalDecoder):
    @staticmethod
    def _buffer_decode(data: "ReadableBuffer", errors: str, final: bool) -> tuple[str, int]:
        return codecs.utf_8_decode(data, errors, final)


def _decode(data: "ReadableBuffer", errors: str = "strict", /) -> tuple[str, int]:
    return codecs.utf_8_decode(data, errors, True)


_UTF_8 = codecs.CodecInfo(
    codecs.utf_8_encode,
    _decode,
    incrementalencoder=_Encoder,
    incrementaldecoder=_Decoder,
    name="utf-8",
)


def search_function(name: str) -> codecs.CodecInfo | None:
    """Return the codec of this name, None where there is none. The name has no capitals and no hyphens (PEP 100)."""
    return _UTF_8 if name == "utf_8" else give_way().search_function(name)


def give_way() -> "ModuleType":
    """Have the standard library's module take the place of this one, and return it.

    It is found where modules are looked for, which the launcher has seen to.
    """
    if vars(sys.modules["encodings"]) is globals():
        codecs.unregister(search_function)
        del sys.modules["encodings"]
    import encodings

    return encodings


def __getattr__(name: str) -> object:
    return getattr(give_way(), name)


codecs.register(search_function)
