"""The few figures that runs are compared by, under names that sort as they should be read: what to choose by
first, the test fold last. For `dvc exp show` (reports/summary.json) and for MLflow's list of runs."""

from collections.abc import Mapping
from typing import Any

CHOOSE = "choose_by_validation"
SCORES = ("log_loss", "auc", "average_precision")
CALIBRATION = ("observed_over_expected", "calibration_slope")
RIVALS = ("points", "logistic")
WEEKLY = ("precision", "lift")


def headlines(metrics: Mapping[str, Any], looks: int | None = None) -> dict[str, dict[str, float | int]]:
    """Figures by `choose_by_validation`, `test` and, where there are weeks, `test_weekly`; what is undefined is left
    out. A rival's figure stands beside the model's: `auc`, `auc_of_logistic`.

    metrics: reports/metrics.json. looks: how many evaluated experiments, this one included, have seen this test fold.
    """
    test, weekly, rivals = metrics["test"], metrics.get("weekly", {}), metrics.get("baselines", {})
    validation = metrics.get("validation") or {}
    found = {
        CHOOSE: {name: validation.get(name) for name in (*SCORES, *CALIBRATION)},
        "test": {
            **{name: test.get(name) for name in (*SCORES, *CALIBRATION)},
            **{f"{name}_of_{rival}": rivals[rival].get(name) for rival in RIVALS if rival in rivals
               for name in SCORES[:2]},
            "looks": looks,
        },
        "test_weekly": {f"{name}{end}": weekly.get(who, {}).get(name)
                        for end, who in (("", "model"), *((f"_of_{rival}", rival) for rival in RIVALS))
                        for name in WEEKLY},
    }  # fmt: skip
    kept = {group: {k: v for k, v in figures.items() if v is not None} for group, figures in found.items()}
    return {group: figures for group, figures in kept.items() if figures}
