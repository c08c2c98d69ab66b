"""The current model: verified before it is served, and changed in one step between requests."""

import gc
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.bundle import Bundle, load_bundle
from models.errors import DamagedBundle
from serving.cautions import Cautions


@dataclass(frozen=True)
class Model:
    """A verified bundle, and what the service makes of it once."""

    bundle: Bundle
    cautions: Cautions


def load_model(folder: Path) -> Model:
    """Digests first, then another process proves it. Raises DamagedBundle."""
    try:
        bundle = load_bundle(folder)
        for trees in (bundle.trees, *(link.trees for link in bundle.links if link.trees)):
            trees.leaves  # noqa: B018, made now rather than in the first request
        bundle.trees.tables  # noqa: B018, alike
        return Model(bundle, Cautions(bundle))
    except OSError as error:
        raise DamagedBundle(f"{folder}: cannot be read: {error.strerror or error}; check the path") from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise DamagedBundle(f"{folder}: cannot be used ({type(error).__name__}); publish it again") from error


class Store:
    """Holds one model at a time. A request takes it once, so its answer is of one model throughout."""

    def __init__(self, folder: Path, trial: Callable[[Model], object] = lambda _: None) -> None:
        """`trial`: what a model must be able to do; it may raise anything."""
        self._folder, self._trial = folder, trial
        self._lock = threading.Lock()
        self.current: Model | None = None

    def load(self) -> Model:
        """Verify the bundle and let it take the place of the current one. Raises DamagedBundle, and then what was
        served goes on. One at a time."""
        with self._lock:
            found = load_model(self._folder)
            try:
                self._trial(found)
            except Exception as error:
                raise DamagedBundle(
                    f"{self._folder}: no request can be answered with it ({type(error).__name__}); publish it again"
                ) from error
            self.current = found
            gc.unfreeze()
            gc.collect()
            gc.freeze()  # what stays for good is not looked at again
            return found
