"""What the commands refuse before they look for a cloud."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from uriai_cli.main import cli


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--medium", "slack", "--address", "C012AB3CD"], "give either --person or --station"),
        (["--person", "a", "--station", "b", "--medium", "slack", "--address", "C1"], "give either --person or"),
        (["--person", "a", "--medium", "slack", "--address", "#general"], "such as C012AB3CD"),
        (["--person", "a", "--medium", "email", "--address", "a@b"], "an e-mail address"),
        (["--person", "a", "--medium", "email", "--address", "a@example.org\nBcc: x@example.org"], "an e-mail address"),
        (["--person", "a", "--medium", "email", "--address", f"a@{'b' * 250}.org"], "an e-mail address"),
        (["--person", "a", "--medium", "telegram", "--address", "1; 2"], "a Telegram chat's number"),
        (["--person", "a", "--medium", "kakao", "--address", "../talk"], "a botUserKey"),
        (["--person", "a", "--medium", "kakao", "--address", "k", "--quiet", "22:00", "22:00"], "different times"),
        (["--person", "a", "--medium", "kakao", "--address", "k", "--digest", "25:00"], "no time of day"),
    ],
)
def test_a_channel_that_cannot_be_is_refused_with_the_remedy(arguments, said):
    answer = CliRunner().invoke(cli, ["channels", "add", *arguments])
    assert answer.exit_code == 2, answer.output
    assert said in " ".join(answer.output.split())


def test_an_id_that_is_none_is_refused():
    answer = CliRunner().invoke(cli, ["outbox", "retry", "7"])
    assert answer.exit_code == 2
    assert "7 is no id of the outbox" in answer.output
