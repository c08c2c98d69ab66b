"""The bundle: a folder of text that is all a score needs, and that proves itself before it is used."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from features.arrays import Floats
from features.kernel import Matrix
from features.plan import Plan, plan_of_json
from models.bundle.accounts import AccountModel
from models.bundle.lives import Reading
from models.bundle.questions import NOTHING_TO_ASK, Questions
from models.bundle.roles import Wanted, wanted_of_json
from models.errors import DamagedBundle
from models.learning import horizons
from models.learning.calibration import Calibration, apply
from models.learning.encoding import Encoding, encode
from models.learning.horizons import Link
from models.marks import Marks
from models.policy.policy import Policy
from models.trees.model import Trees

MANIFEST = "manifest.json"
FILES = (
    "MODEL_CARD.md", "calibration.json", "definition.json", "encoding.json", "features.json", "golden.json",
    "model.txt", "policy.json", "reading.json", "training.json",
)  # fmt: skip
HORIZONS = "horizons.json"
"""Only where there are several horizons; beside it `horizon_<number>.txt`, a model each, but for constant shares."""
QUESTIONS = "questions.json"
"""Only where train knew of answers to questions that one may ask a lead."""
ACCOUNTS = "accounts.json"
"""Only where leads have accounts and dated outcomes: what makes an account's probability of its leads'."""
MOST = 1 << 28
"""Bytes of a file: a larger one would fill the memory of the process that serves before its digest was known."""
PROOF_SECONDS = 60


@dataclass(frozen=True)
class Bundle:
    """A model with all that turns records into answers."""

    plan: Plan
    encoding: Encoding
    trees: Trees
    calibration: Calibration
    policy: Policy
    definition: Mapping[str, Any]
    training: Mapping[str, Any]
    reading: Mapping[str, Any]
    """How the text of the training tables was read: files to score are read so too."""
    card: str
    """MODEL_CARD.md."""
    digest: str
    version: str
    """The registry's number, or the first 12 digits of the digest."""
    links: tuple[Link, ...] = ()
    """Of the horizons shorter than the model's own, rising."""
    questions: Questions = NOTHING_TO_ASK
    accounts: AccountModel | None = None
    """None where the leads had no accounts."""
    roles: tuple[Wanted, ...] = ()
    """Roles that won accounts had, the most telling first."""

    @cached_property
    def zone(self) -> tzinfo:
        """Of times that come without an offset."""
        name = self.reading["timezone"]
        return UTC if name == "UTC" else ZoneInfo(name)

    @cached_property
    def lives(self) -> Reading:
        """How requests are read."""
        nothing = frozenset(text.strip() for text in self.reading["na_values"])
        marks = Marks(self.reading["decimal"], self.reading["thousands"], nothing)
        return Reading(self.plan, self.zone, marks, self.training["shape"] != "flat")


@dataclass(frozen=True)
class Scored:
    """k scored examples."""

    raw: Floats
    probability: Floats
    base: float
    contributions: Floats | None
    """Exact Shapley values in log odds by kernel feature, shape (k, features). None where not asked for."""
    shorter: Mapping[float, Floats] = field(default_factory=dict)
    """Probability within each shorter horizon, by its days, rising: never above that within a longer one."""


def score(bundle: Bundle, matrix: Matrix, reasons: bool) -> Scored:
    """Probabilities of the kernel's features; with `reasons`, what each feature adds to the raw score."""
    X = encode(bundle.encoding, matrix)
    raw = bundle.trees.scores(X)
    p = apply(bundle.calibration, raw)
    shorter = horizons.shorter(bundle.links, p, matrix)
    if not reasons or len(X) == 0:
        return Scored(raw, p, float("nan"), None, shorter)
    shares = bundle.trees.contributions(X)
    return Scored(raw, p, float(shares[0, -1]), shares[:, :-1], shorter)


def digest_of(content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return sha256(content).hexdigest()


def horizon_model(number: int) -> str:
    """File of the booster of a link, by its place among the horizons, from 0."""
    return f"horizon_{number}.txt"


def optional_files(names: Sequence[str]) -> list[str]:
    """Those names that a bundle may have besides FILES: of several horizons, of questions, and of accounts."""
    return sorted(
        name for name in names if name in (HORIZONS, QUESTIONS, ACCOUNTS) or re.fullmatch(r"horizon_\d{1,3}\.txt", name)
    )


def write_manifest(folder: Path) -> str:
    """Write the digests of all files of a bundle; returns the manifest's own."""
    names = [*FILES, *optional_files([path.name for path in folder.iterdir()])]
    digests = {name: digest_of((folder / name).read_bytes()) for name in names}
    text = json.dumps(digests, indent=1, sort_keys=True) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return digest_of(text.encode())


@dataclass(frozen=True)
class Files:
    """The files of a bundle, read once: what was checked is what is parsed, whatever happens to the folder since."""

    folder: Path
    digest: str
    """The manifest's own, which names those of all others."""
    contents: Mapping[str, bytes]
    """By name: those that the manifest names, and no other."""

    def text(self, name: str) -> str:
        """Of a file in UTF-8."""
        return self.contents[name].decode("utf-8")

    def json(self, name: str) -> Any:
        """Of a file of JSON."""
        return json.loads(self.contents[name])


def read_files(folder: Path) -> Files:
    """Every file, where it is the one that the manifest names. Raises DamagedBundle.

    Nothing but the manifest is parsed: LightGBM ends the process on a damaged model.
    """
    manifest = _read(folder, MANIFEST)
    try:
        digests = json.loads(manifest)
    except (ValueError, RecursionError) as error:
        raise DamagedBundle(f"{folder / MANIFEST}: expected JSON: {error}; publish the bundle again") from error
    if not isinstance(digests, dict) or sorted(digests) != sorted([*FILES, *optional_files(list(digests))]):
        raise DamagedBundle(f"{folder / MANIFEST}: expected the digests of {', '.join(FILES)}; publish it again")
    contents = {name: _read(folder, name) for name in digests}
    for name, content in contents.items():
        found = digest_of(content)
        if found != digests[name]:
            raise DamagedBundle(
                f"{folder / name}: expected SHA-256 {str(digests[name])[:64]}, found {found}; publish it again"
            )
    return Files(folder, digest_of(manifest), contents)


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise DamagedBundle(f"{path}: expected a file; publish the bundle again, or check the path that you gave")
    if path.stat().st_size > MOST:
        raise DamagedBundle(f"{path}: expected at most {MOST} bytes; publish the bundle again")
    return path.read_bytes()


def load_bundle(folder: Path) -> Bundle:
    """A bundle that has proved itself: digests first, then another process parses it and gives its golden
    answers. Raises DamagedBundle."""
    files = read_files(folder)
    prove(files)
    return parse(files)


def prove(files: Files) -> None:
    """Let another process parse the bundle and reproduce golden.json, for a damaged model ends its reader. It reads the
    folder itself, and says the digest of what it read. Raises DamagedBundle."""
    folder = files.folder
    command = [sys.executable, "-P", "-m", "models.bundle.proof", str(folder)]
    home = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {**os.environ, "PYTHONPATH": home}  # this very code, also where MLflow runs a copy of it
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=PROOF_SECONDS,
            check=False, env=env,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise DamagedBundle(f"{folder}: its proof took over {PROOF_SECONDS} s; publish it again") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        why = said[-1][:300] if said else f"the process that read it ended with {done.returncode}"
        raise DamagedBundle(f"{folder}: is not usable: {why}; publish it again")
    if done.stdout.splitlines()[-1:] != [files.digest]:
        raise DamagedBundle(f"{folder}: changed while it was read; load it again")


def read_bundle(folder: Path) -> Bundle:
    """A bundle whose digests agree, without its proof: of our own making. Raises DamagedBundle."""
    return parse(read_files(folder))


def parse(files: Files) -> Bundle:
    """The bundle of files that were checked. Raises DamagedBundle where it is of another version."""
    features, encoding = files.json("features.json"), Encoding.of_json(files.json("encoding.json"))
    plan, learned = plan_of_json(features["plan"]), features["columns"]
    if (ours := [c.name for c in plan.features]) != learned:
        other = ", ".join(sorted({*ours} ^ {*learned})) or "their order"
        raise DamagedBundle(
            f"{files.folder}: was made with other features ({other}): features/own.py has changed since; run again: "
            "make run"
        )
    trees = Trees(files.text("model.txt"))
    if trees.columns not in (None, len(encoding.columns)):
        raise DamagedBundle(
            f"{files.folder}: was made by another version (its trees take {trees.columns} columns, its encoding makes "
            f"{len(encoding.columns)}); run again: make run"
        )
    accounts = files.json(ACCOUNTS) if ACCOUNTS in files.contents else None
    return Bundle(
        plan=plan,
        encoding=encoding,
        trees=trees,
        calibration=Calibration.of_json(files.json("calibration.json")),
        policy=Policy.of_json(files.json("policy.json")),
        definition=files.json("definition.json"),
        training=files.json("training.json"),
        reading=files.json("reading.json"),
        card=files.text("MODEL_CARD.md"),
        digest=files.digest,
        version=registered_version(files.folder, files.digest) or files.digest[:12],
        links=links_of(files.contents),
        questions=Questions.of_json(files.json(QUESTIONS)) if QUESTIONS in files.contents else NOTHING_TO_ASK,
        accounts=None if accounts is None else AccountModel.of_json(accounts["model"]),
        roles=() if accounts is None else wanted_of_json(accounts["roles"]),
    )


def links_of(contents: Mapping[str, bytes]) -> tuple[Link, ...]:
    """The links of several horizons, of files by name; none with a single one."""
    if HORIZONS not in contents:
        return ()
    models = ((stored, contents.get(horizon_model(i))) for i, stored in enumerate(json.loads(contents[HORIZONS])))
    return tuple(Link.of_json(stored, None if text is None else text.decode("utf-8")) for stored, text in models)


def registered_version(folder: Path, digest: str) -> str | None:
    """The registry's number, kept beside the bundle with the digest of the one that it is of: `<bundle>.version`.
    None where this bundle is not registered."""
    whole = folder.absolute()  # "." has no name
    path = whole.with_name(whole.name + ".version")
    words = path.read_text(encoding="utf-8").split() if path.is_file() else []
    return words[0] if len(words) == 2 and words[1] == digest else None
