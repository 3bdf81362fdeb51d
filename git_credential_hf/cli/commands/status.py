"""status: which credential git would use for a URL, and any problems. It changes nothing."""

import os
import sys

from git_credential_hf import hub
from git_credential_hf.cli import clone, git_config
from git_credential_hf.cli.output import shown_token
from git_credential_hf.cli.status import facts as found
from git_credential_hf.cli.status import findings, report
from git_credential_hf.model import address
from git_credential_hf.model.repository import HUB
from git_credential_hf.options import UsageError


def status(url: str | None, environ: dict[bytes, bytes], *, as_json: bool, online: bool, probe: bool) -> int:
    """Print what is known of `url`; return 0 if git would get a token for it, else 1. Raises UsageError.

    url: whatever address.clone_url understands; None for the Hub's repository of which this folder is a clone, or for
    the whole Hub.
    """
    try:
        text = clone.url(environ) if url is None else address.clone_url(os.fsencode(url))
        facts = found.gather(text, environ, probe=probe)
    except (address.NotUnderstood, git_config.BadUrl) as reason:
        example = "git-credential-hf status https://huggingface.co/my-org/my-model"
        raise UsageError(str(reason), example) from None
    if online and facts.token is not None and facts.server == HUB:
        facts.online = hub.ask(facts.token.text, facts.url.path)
    if not as_json:
        facts.named = shown_token
    known = report.report(facts, findings.findings(facts), online=online)
    if as_json:
        import json

        print(json.dumps(known, indent=2))
    else:
        print(report.table(known, report.Style(sys.stdout, environ)), end="")
    return 0 if facts.given_by() is not None else 1
