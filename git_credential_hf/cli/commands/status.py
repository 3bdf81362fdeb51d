"""status: which credential git would use for a URL, and any problems. It changes nothing."""

import os
import sys

from git_credential_hf.cli import clone, git_config
from git_credential_hf.cli.output import complain, named, shown_token
from git_credential_hf.cli.status import facts as found
from git_credential_hf.cli.status import findings, report, verdict
from git_credential_hf.model import address
from git_credential_hf.options import UsageError


def status(
    url: str | None, environ: dict[bytes, bytes], *, as_json: bool, online: bool, probe: bool, quiet: bool
) -> int:
    """Print what is known of `url`; return 0 if git would get a token for it, else 1. Raises UsageError.

    With `online` it is 1, too, where the Hub does not let that token read the repository.

    url: whatever address.clone_url understands; None for the Hub's repository of which this folder is a clone, or for
    the whole Hub.
    quiet: whether only what keeps git from a token is told, on standard error.
    """
    if quiet and as_json:
        raise UsageError("--quiet and --json exclude each other")
    try:
        text = clone.urls(None, environ)[0] if url is None else address.clone_url(os.fsencode(url))
        facts = found.gather(text, environ, probe=probe)
    except (address.NotUnderstood, git_config.BadUrl) as reason:
        example = "git-credential-hf status https://huggingface.co/my-org/my-model"
        raise UsageError(f"{named(url)}{reason}", example) from None
    if online:
        verdict.ask_hub(facts)
    if not as_json:
        facts.named = shown_token
    is_good = verdict.is_good(facts)
    if quiet:
        if not is_good:
            _complain(facts)
        return 0 if is_good else 1
    known = report.report(facts, findings.findings(facts), online=online)
    if as_json:
        import json

        print(json.dumps(known, indent=2))
    else:
        print(report.table(known, report.Style(sys.stdout, environ)), end="")
    return 0 if is_good else 1


def _complain(facts: found.Facts) -> None:
    """Write what keeps git from a token to standard error, in one line: the error that misleads most."""
    errors = [one for one in findings.findings(facts) if one.severity == "error"]
    first = next((one for one in errors if facts.may_be_given or one.code not in findings.WRONG_TOKEN), None)
    complain(verdict.line(facts) if first is None else f"{first.message}. Try: {first.remedy}")
