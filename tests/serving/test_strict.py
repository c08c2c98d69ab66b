"""JSON and nothing besides, and never a word of the content in what is said of it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.problems import Problem
from serving.strict import read_json

DEEP = 12


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[NaN]", b"[Infinity]", b"[-Infinity]", b"[1e999]", b'{"a": 1, "a": 1}', b'{"a": {"b": 1, "b": 2}}',
     b'{"a": 1, "\\u0061": 2}', b'{"a:": 1, "a\\u003a": 2}', b'["\\u0000"]', b'{"\\u0000": 1}', b'["\x00"]',
     b'["\\ud800"]', b'"\xff"', b"[" * 13 + b"]" * 13, b"[" * 100_000, b"[" * 5_000 + b"]" * 5_000, b"{}{}", b"'a'",
     b"[01]", b"[1,]", b"\xef\xbb\xbf{}", b"[" + b"9" * 5_000 + b"]"],
    ids=range(24),
)  # fmt: skip
def test_what_is_not_strict_json_is_refused(body: bytes) -> None:
    """As 400: not JSON at all, numbers that no number can hold, a name twice (however written), NUL, too deep."""
    with pytest.raises(Problem) as caught:
        read_json(body, DEEP)
    assert caught.value.status == 400
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "body",
    [b"{}", b"null", '"😀 ä"'.encode(), b'"\\\\u0000"', b'{"a:": "b: c", "a": "\\u003a"}', b"[" * 12 + b"]" * 12],
)
def test_strict_json_is_read(body: bytes) -> None:
    """Also where it looks like what is refused."""
    assert read_json(body, DEEP) == json.loads(body)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(values, st.booleans())
def test_what_python_writes_is_read_back(value: Any, ascii_only: bool) -> None:
    """Any value, with escapes or without."""
    body = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert read_json(body, 100) == json.loads(body)


@given(st.lists(st.tuples(st.sampled_from('abc:\\"'), st.sampled_from(["1", '":"', "{}"])), max_size=5))
def test_a_name_is_given_once(pairs: list[tuple[str, str]]) -> None:
    """An object is refused just where a name is given twice."""
    body = ("{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in pairs) + "}").encode()
    if len({name for name, _ in pairs}) == len(pairs):
        read_json(body, DEEP)
    else:
        with pytest.raises(Problem, match="each name once"):
            read_json(body, DEEP)


@given(values, st.integers(1, 9))
def test_no_level_is_too_many_by_one(value: Any, most: int) -> None:
    """A body is refused just where a list or an object lies deeper than `most`, however deep that is."""
    body = json.dumps(value).encode()
    if _levels(value) <= most:
        assert read_json(body, most) == value
    else:
        with pytest.raises(Problem, match=f"at most {most} levels"):
            read_json(body, most)


def _levels(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inside is None else 1 + max(map(_levels, inside), default=0)
