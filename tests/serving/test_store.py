"""A damaged bundle is never served, and what was served goes on."""

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from models.bundle.folder import FILES, MANIFEST, digest_of
from models.errors import DamagedBundle
from serving.settings import Settings
from serving.store import Served, Store

TRIES = int(os.environ.get("DAMAGED_BUNDLES", "60"))
"""`make proof-serving` takes hundreds."""


@pytest.fixture
def folder(bundle_folder: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return shutil.copytree(bundle_folder, tmp_path / "bundle")


@pytest.fixture
def store(folder: Path, model: Served) -> Store:
    """A store that serves a model already."""
    found = Store(Settings(bundle=folder))
    found.current = model
    return found


def truncated(path: Path, chance: random.Random) -> None:
    """Cut short somewhere."""
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])


def flipped(path: Path, chance: random.Random) -> None:
    """One bit."""
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(bytes(content))


def swapped(path: Path, chance: random.Random) -> None:
    """With another file of the bundle."""
    other = path.with_name(chance.choice([name for name in FILES if name != path.name]))
    mine, theirs = path.read_bytes(), other.read_bytes()
    path.write_bytes(theirs)
    other.write_bytes(mine)


def linked(path: Path, chance: random.Random) -> None:
    """To a file of the same content outside."""
    real = path.parent.with_name(f"real-{chance.random()}")
    path.rename(real)
    path.symlink_to(real)


def gone(path: Path, chance: random.Random) -> None:
    """Not there."""
    path.unlink()


def test_no_damaged_bundle_is_served(folder: Path, bundle_folder: Path, store: Store, model: Served) -> None:
    """Truncations, flipped bits, swapped, linked and missing files, of every file: refused before anything is
    parsed, and the model before it goes on."""
    chance = random.Random(0)
    for n in range(TRIES):
        damage = [truncated, flipped, swapped, linked, gone][n % 5]
        name = [*FILES, MANIFEST][n % (len(FILES) + 1)]
        shutil.rmtree(folder)
        shutil.copytree(bundle_folder, folder)
        damage(folder / name, chance)
        with pytest.raises(DamagedBundle):
            store.load()
        assert store.current is model, (name, damage)


def outside(digests: dict[str, str]) -> None:
    """A name that leads out of the folder."""
    digests["../model.txt"] = digests.pop("model.txt")


def absolute(digests: dict[str, str]) -> None:
    """A name that leads elsewhere."""
    digests["/etc/hostname"] = "0" * 64


@pytest.mark.parametrize("change", [outside, absolute])
def test_names_that_lead_elsewhere_are_refused(
    folder: Path, store: Store, change: Callable[[dict[str, str]], None]
) -> None:
    """Nothing outside the folder is read."""
    digests = json.loads((folder / MANIFEST).read_text())
    change(digests)
    (folder / MANIFEST).write_text(json.dumps(digests))
    with pytest.raises(DamagedBundle):
        store.load()


def test_a_damaged_model_that_agrees_with_its_manifest_ends_another_process(
    folder: Path, store: Store, model: Served
) -> None:
    """Cut short, with digests that agree: LightGBM ends the proof's process, and this one goes on with its model."""
    truncated(folder / "model.txt", random.Random(1))
    digests = {name: digest_of((folder / name).read_bytes()) for name in FILES}
    (folder / MANIFEST).write_text(json.dumps(digests))
    with pytest.raises(DamagedBundle, match="not usable"):
        store.load()
    assert store.current is model


def test_a_bundle_that_cannot_answer_here_is_refused(
    store: Store, model: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong with a bundle that has proved itself, what was served goes on."""

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("serving.store.document", fail)
    with pytest.raises(DamagedBundle, match="RuntimeError"):
        store.load()
    assert store.current is model


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(DamagedBundle, match="check the path"):
        Store(Settings(bundle=tmp_path / "nothing")).load()
