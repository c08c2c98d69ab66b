"""What `GET /v1/model` says of the bundle."""

from dataclasses import asdict
from typing import Any

from models.bundle.folder import Bundle


def described(bundle: Bundle) -> dict[str, Any]:
    """Version, what a conversion is, training times and counts, inputs, test metrics, the card."""
    plan, training = bundle.plan, bundle.training
    return {
        "model_version": bundle.version,
        "model_digest": bundle.digest,
        "definition": dict(bundle.definition),
        "training": {k: training.get(k) for k in ("folds", "shape", "until", "ages_days", "trees", "libraries")},
        "inputs": {
            "attributes": [
                {"place": f"{a.entity}.{a.column}", "kind": a.kind, "group": a.group, "history": a.has_history}
                for a in plan.attributes
            ],
            "event_types": [{"type": t.name, "group": t.group} for t in plan.types],
            "topics": list(plan.topics),
            "stages": list(plan.stages),
            "parts": list(plan.blocks),
        },
        "policy": {"grades": dict(bundle.policy.grades), "rest": bundle.policy.rest,
                   "routing": asdict(bundle.policy.routing), "threshold": bundle.policy.threshold,
                   "base_rate": bundle.policy.base_rate},
        "test": training["metrics"]["test"],
        "card": bundle.card,
    }  # fmt: skip
