"""The current model: verified before it is served, and changed in one step between requests."""

import gc
import threading
from dataclasses import dataclass

import msgspec

from models.bundle.folder import Bundle, load_bundle
from models.errors import DamagedBundle
from serving.answers import Model
from serving.cautions import Cautions
from serving.description import described
from serving.openapi import document
from serving.settings import Settings

SELDOM = 50_000
"""New lists and dicts after which circles are looked for: those of a batch live until it is answered."""


@dataclass(frozen=True)
class Served(Model):
    """A model, and what is said of it, as bytes of JSON: made once, for it takes as long as a hundred scores."""

    openapi: bytes
    description: bytes


def served(bundle: Bundle, settings: Settings) -> Served:
    """All that the service makes of a bundle. To make the document it answers a request; it may raise anything."""
    for trees in (bundle.trees, *(link.trees for link in bundle.links if link.trees)):
        trees.leaves  # noqa: B018, made now rather than in the first request
    bundle.trees.tables  # noqa: B018, alike
    model = Model(bundle, Cautions(bundle))
    pages = (msgspec.json.encode(page) for page in (document(model, settings), described(bundle)))
    return Served(model.bundle, model.cautions, *pages)


def load_model(settings: Settings) -> Served:
    """Digests first, then another process proves it, then it must answer here. Raises DamagedBundle."""
    folder = settings.bundle
    try:
        return served(load_bundle(folder), settings)
    except DamagedBundle:
        raise
    except OSError as error:
        raise DamagedBundle(f"{folder}: cannot be read: {error.strerror or error}; check the path") from error
    except Exception as error:
        raise DamagedBundle(f"{folder}: cannot be used ({type(error).__name__}); publish it again") from error


class Store:
    """Holds one model at a time. A request takes it once, so its answer is of one model throughout."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self.current: Served | None = None

    def load(self) -> Served:
        """Verify the bundle and let it take the place of the current one. Raises DamagedBundle, and then what was
        served goes on. One at a time."""
        with self._lock:
            found = self.current = load_model(self._settings)
            gc.unfreeze()
            gc.collect()
            gc.freeze()  # what stays for good is not looked at again
            gc.set_threshold(SELDOM)
            return found
