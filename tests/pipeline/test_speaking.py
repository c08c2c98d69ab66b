"""What a stage says arrives as it was said."""

import pytest

from pipeline import stage


@pytest.mark.parametrize("said", ["definition.exclude: [job_title]", "column 'Sum [/net]'", "a:red_heart:b"])
def test_square_brackets_and_colons_are_said(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Remedies are lists in YAML, to be pasted; names of columns are whatever people call them. None is a mark."""
    with stage.speaking("leaks") as say:
        say(said)
    assert capsys.readouterr().err == f"leaks: {said}\n"
