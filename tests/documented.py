"""What the documentation tells people to type."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ("data-scientist", "crm-administrator", "marketer")
"""Pages with commands, in the order in which their commands are run."""


def page(name: str) -> str:
    """Text of a page of docs."""
    return (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def commands(text: str) -> list[str]:
    """Lines after `$ ` in blocks of ```console, in order."""
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def code(text: str) -> list[str]:
    """Blocks of ```python."""
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
