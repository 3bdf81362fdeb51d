"""What `get` finds for a request: every candidate in order, with a verdict, and what git and a person are told."""

TYPE_CHECKING = False  # as mypy reads it, without the import of typing
if TYPE_CHECKING:
    from git_credential_hf.model.token import Token

# Verdicts.
GIVEN = "given"
SPARE = "spare"  # it could be given, had there not been one before it
EXPIRED = "expired"
REJECTED = "rejected"  # the Hub did not accept it
NO_AUTHTYPE = "no authtype"  # it takes a git that knows authtype, of 2.46 or later
MALFORMED = "malformed"  # there is something, and it is no token
LOCKED = "locked"  # there is an item that may answer, and it is locked
NOT_REACHED = "not reached"  # the source could not be read
FAILED = "failed"  # the source was to give a token and could not, and none after it may in its place


class Candidate:
    """One place where a token was looked for, and found or not.

    source: which of options.SOURCES it is of.
    place: the place for people: "HF_TOKEN", "the keyring", a path.
    token: None for what is malformed or was not reached.
    verdict: one of those above; empty until `get.decide` has judged the token.
    why: a few words for a verdict that does not speak for itself.
    """

    __slots__ = ("place", "source", "token", "verdict", "why")

    def __init__(self, source: str, place: str, token: "Token | None", verdict: str = "", why: str = "") -> None:
        self.source = source
        self.place = place
        self.token = token
        self.verdict = verdict
        self.why = why

    def __repr__(self) -> str:
        return f"<Candidate {self.token!r} of {self.place}: {self.verdict}>"


class Outcome:
    """What came of a request.

    server: whose credentials answer it (see repository.server), None for nobody's.
    candidates: what was found, the preferred first. Those after the given one are there only if they were asked for.
    quits: whether git is told to quit, so that nothing else asks a person.
    said: a line for a person, empty where there is nothing to say.
    """

    __slots__ = ("candidates", "quits", "said", "server")

    def __init__(self, server: bytes | None) -> None:
        self.server = server
        self.candidates: list[Candidate] = []
        self.quits = False
        self.said = ""

    def given(self) -> Candidate | None:
        """Return the candidate that answers, None where nothing does."""
        return self.first(GIVEN)

    def first(self, *verdicts: str, source: str = "") -> Candidate | None:
        """Return the first candidate with one of `verdicts`, of `source` if that is named."""
        for one in self.candidates:
            if one.verdict in verdicts and source in ("", one.source):
                return one
        return None
