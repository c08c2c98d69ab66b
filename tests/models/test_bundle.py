"""A bundle proves itself before it is used, and a damaged one never ends this process."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.bundle import folder as bundles
from models.bundle.folder import (
    ACCOUNTS,
    FILES,
    MANIFEST,
    QUESTIONS,
    Bundle,
    DamagedBundle,
    digest_of,
    load_bundle,
    read_files,
)
from models.bundle.golden import answer
from models.bundle.proof import main as prove_here


@pytest.fixture
def copied(bundle_folder: Path, tmp_path: Path) -> Path:
    """A copy of the bundle that may be damaged."""
    return shutil.copytree(bundle_folder, tmp_path / "bundle")


def resign(folder: Path) -> None:
    """Let the manifest agree with whatever lies there."""
    digests = {name: digest_of((folder / name).read_bytes()) for name in FILES}
    (folder / MANIFEST).write_text(json.dumps(digests))


def test_a_whole_bundle_loads_and_gives_its_golden_answers(bundle_folder: Path) -> None:
    """In a process of its own and here; unregistered it goes by 12 digits of its manifest's digest."""
    loaded = load_bundle(bundle_folder)
    golden = json.loads((bundle_folder / "golden.json").read_text())
    assert len(golden) >= 10
    for entry in golden:
        assert answer(loaded, entry["request"]) == entry["answer"]
    assert loaded.digest == digest_of((bundle_folder / MANIFEST).read_bytes())
    assert loaded.version == loaded.digest[:12]
    assert {p.name for p in bundle_folder.iterdir()} == {*FILES, MANIFEST, QUESTIONS, ACCOUNTS}


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _link(path: Path) -> None:
    real = path.with_name("real")
    path.rename(real)
    path.symlink_to(real)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
@pytest.mark.parametrize("damage", [_truncate, _flip, _empty, Path.unlink, _link, _folder])
def test_any_damage_is_seen_before_anything_is_parsed(copied: Path, name: str, damage: Callable[[Path], None]) -> None:
    """A file cut short, a flipped bit, an empty, missing, linked file or a folder in its place is refused."""
    damage(copied / name)
    with pytest.raises(DamagedBundle, match="publish"):
        read_files(copied)


@pytest.mark.parametrize("name", ["MODEL_CARD.md", MANIFEST])
def test_a_file_without_end_is_not_read(copied: Path, name: str) -> None:
    """A service that looks at it keeps its memory."""
    with (copied / name).open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(DamagedBundle, match=f"{name}: expected at most"):
        load_bundle(copied)


def test_swapped_files_are_seen(copied: Path) -> None:
    """Two files that change places are two files that are not themselves."""
    a, b = copied / "policy.json", copied / "encoding.json"
    one, two = a.read_bytes(), b.read_bytes()
    a.write_bytes(two)
    b.write_bytes(one)
    with pytest.raises(DamagedBundle, match="expected SHA-256"):
        read_files(copied)


@pytest.mark.parametrize(
    "content",
    ["{}", "[]", "null", "1", '"x"', "{", "[" * 100_000, '{"a": 1}', "9" * 5000, "\ud800", "NaN"],
    ids=range(11),
)
def test_a_hostile_manifest_is_refused(copied: Path, content: str) -> None:
    """Whatever a manifest holds, DamagedBundle is what comes of it."""
    (copied / MANIFEST).write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(DamagedBundle):
        read_files(copied)


@pytest.mark.parametrize("change", ["extra", "missing", "list", "path"])
def test_a_manifest_names_just_the_files_of_a_bundle(copied: Path, change: str) -> None:
    """No entry more or less, and none that points elsewhere."""
    digests = json.loads((copied / MANIFEST).read_text())
    if change == "extra":
        digests["more.txt"] = "0" * 64
    elif change == "path":
        digests["../model.txt"] = digests.pop("model.txt")
    elif change == "list":
        digests["model.txt"] = [1]
    else:
        del digests["model.txt"]
    (copied / MANIFEST).write_text(json.dumps(digests))
    with pytest.raises(DamagedBundle):
        read_files(copied)


@pytest.mark.parametrize("damage", [_truncate, _empty])
def test_a_damaged_model_with_a_manifest_that_agrees_ends_another_process(
    copied: Path, damage: Callable[[Path], None]
) -> None:
    """LightGBM ends the process that reads it: the proof's, not ours."""
    damage(copied / "model.txt")
    resign(copied)
    with pytest.raises(DamagedBundle, match="not usable"):
        load_bundle(copied)


@pytest.mark.parametrize(
    ("name", "content"),
    [("features.json", "[" * 100_000), ("golden.json", "[]"), ("golden.json", '{"a": 1}'), ("golden.json", "[1]"),
     ("policy.json", "{}"), ("encoding.json", "null"), ("calibration.json", '{"kind": "spell"}')],
)  # fmt: skip
def test_hostile_json_with_a_manifest_that_agrees_is_refused(copied: Path, name: str, content: str) -> None:
    """What cannot be read does not prove itself (here without a process of its own, which would cost seconds)."""
    (copied / name).write_text(content)
    resign(copied)
    with suppress(RecursionError, IndexError):  # end the proof's process with a trace back, and that process alone
        assert prove_here([str(copied)]) == 1


def test_a_model_that_answers_otherwise_is_refused(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A leaf of each tree changed, and the manifest with it: the golden answers tell."""
    text = (copied / "model.txt").read_text()
    changed = re.sub(r"(?<=leaf_value=)\S+", lambda m: ".25".rjust(len(m[0]), "0"), text)
    (copied / "model.txt").write_text(changed)
    resign(copied)
    assert prove_here([str(copied)]) == 1
    assert "golden.json: answer" in capsys.readouterr().err


def test_a_bundle_of_another_version_says_so(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trees that take other columns than the encoding makes: not damaged, but to be made again."""
    text = (copied / "model.txt").read_text()
    more = re.sub(r"(?<=max_feature_idx=)\d+", lambda m: str(int(m[0]) + 1), text)
    (copied / "model.txt").write_text(more)
    resign(copied)
    assert prove_here([str(copied)]) == 1
    assert "was made by another version" in capsys.readouterr().err


def test_what_was_checked_is_what_is_parsed(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is read once: what changes in the folder afterwards reaches nobody."""
    real, reads = Path.read_bytes, list[str]()

    def noted(path: Path) -> bytes:
        reads.append(path.name)
        return real(path)

    def swapped(_: object) -> None:
        for name in (*FILES, MANIFEST, QUESTIONS, ACCOUNTS):
            (copied / name).write_text("{}")

    whole = load_bundle(copied)
    monkeypatch.setattr(Path, "read_bytes", noted)
    monkeypatch.setattr(bundles, "prove", swapped)
    loaded = load_bundle(copied)
    assert sorted(reads) == sorted([*FILES, MANIFEST, QUESTIONS, ACCOUNTS])
    assert (loaded.digest, loaded.policy, loaded.card) == (whole.digest, whole.policy, whole.card)


def test_a_folder_that_changes_before_its_proof_is_refused(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process proves another bundle, sound as it is: not the one that was read."""
    real = subprocess.run

    def late(*words: Any, **more: Any) -> Any:
        (copied / "MODEL_CARD.md").write_text("# Another")
        bundles.write_manifest(copied)
        return real(*words, **more)

    monkeypatch.setattr(subprocess, "run", late)
    with pytest.raises(DamagedBundle, match="changed while it was read"):
        load_bundle(copied)
    monkeypatch.setattr(subprocess, "run", real)
    assert load_bundle(copied).card == "# Another"


def test_the_registrys_number_is_kept_beside_the_bundle(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`<bundle>.version`, also where the bundle is the working directory; another bundle's number is none."""
    beside = copied.with_name("bundle.version")
    assert bundles.registered_version(copied, "d1") is None
    beside.write_text("12 d1\n")
    assert bundles.registered_version(copied, "d1") == "12"
    monkeypatch.chdir(copied)
    assert bundles.registered_version(Path(), "d1") == "12"
    beside.write_text("12 d0\n")
    assert bundles.registered_version(copied, "d1") is None


def test_scores_with_and_without_reasons_are_the_same(bundle: Bundle) -> None:
    """Asking for reasons changes no bit, and base and shares add up to the raw score."""
    from features.kernel import Matrix

    rng = np.random.default_rng(0)
    columns = bundle.plan.features
    values = rng.integers(0, 2, (40, len(columns))).astype(float)
    values[rng.random(values.shape) < 0.3] = np.nan
    matrix = Matrix(values, columns, {c.name: ["a", "b"] for c in columns if c.categorical})
    with_, without = bundles.score(bundle, matrix, True), bundles.score(bundle, matrix, False)
    np.testing.assert_array_equal(with_.probability, without.probability)
    assert with_.contributions is not None
    np.testing.assert_allclose(with_.base + with_.contributions.sum(axis=1), with_.raw, rtol=0, atol=1e-9)
    none = bundles.score(bundle, Matrix(values[:0], columns, matrix.levels), True)
    assert none.probability.shape == (0,)


def test_a_bundle_is_text_alone(bundle_folder: Path) -> None:
    """UTF-8 and JSON without NaN; no pickle, whatever its name."""

    def refuse(name: str) -> None:
        pytest.fail(f"JSON does not know {name}")

    for path in bundle_folder.iterdir():
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            json.loads(text, parse_constant=refuse)
