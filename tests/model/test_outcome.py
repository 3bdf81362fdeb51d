"""What came of a request, asked for by verdict and by source."""

from git_credential_hf.model.outcome import EXPIRED, GIVEN, NOT_REACHED, REJECTED, SPARE, Candidate, Outcome
from git_credential_hf.model.token import Token

SECRET = b"hf_NobodyReadsThisByMistake"


def an_outcome() -> Outcome:
    outcome = Outcome(b"huggingface.co")
    outcome.candidates = [
        Candidate("env", "HF_TOKEN", Token(SECRET), REJECTED),
        Candidate("keyring", "the keyring", Token(SECRET, expires=1), EXPIRED),
        Candidate("keyring", "the keyring", Token(SECRET), GIVEN),
        Candidate("keyring", "the keyring", None, NOT_REACHED, "it is locked"),
        Candidate("file", "/t", Token(SECRET), SPARE),
    ]
    return outcome


def test_one_candidate_is_given() -> None:
    outcome = an_outcome()
    assert outcome.given() is outcome.candidates[2]
    assert Outcome(None).given() is None


def test_the_first_of_a_verdict_and_of_a_source() -> None:
    outcome = an_outcome()
    assert outcome.first(REJECTED, EXPIRED) is outcome.candidates[0]
    assert outcome.first(REJECTED, EXPIRED, source="keyring") is outcome.candidates[1]
    assert outcome.first(GIVEN, SPARE, source="file") is outcome.candidates[4]
    assert outcome.first(REJECTED, source="file") is None


def test_no_candidate_shows_its_token() -> None:
    for one in an_outcome().candidates:
        assert SECRET.decode() not in repr(one)
        assert one.place in repr(one)
