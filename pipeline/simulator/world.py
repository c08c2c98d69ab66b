"""What distinguishes one imagined company from another."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal


@dataclass(frozen=True)
class World:
    """All that is chosen about a world; the numbers behind each choice are in `law` and `fit`.

    Days are calendar days in UTC, counted from `start`. A project of an account starts `starts` days
    from the day its first lead came, and lasts `project_days`.
    """

    fit: Literal["additive", "interacting"] = "interacting"
    people: Literal["steady", "bursty"] = "bursty"
    noise: Literal["kind", "noisy"] = "kind"
    drift: bool = False  # in the last `drift_days`, habits, tools and who buys change
    season: bool = False  # weekends, holidays, ends of quarters
    shift: float = 1.0  # factor on the rate of winning in the last `shift_days`
    broken: bool = False  # plant a known number of broken rows
    signal: bool = True  # False: outcomes are independent of all that can be seen
    start: datetime = datetime(2023, 7, 1, tzinfo=UTC)
    days: int = 731
    drift_days: int = 150
    shift_days: int = 240
    starts: tuple[int, ...] = (-80, -45, -15, 0, 20, 50, 100, 180)
    project_days: int = 140

    def __post_init__(self) -> None:
        """Refuse what makes no world."""
        if self.days < 1 or self.shift <= 0:
            raise ValueError(f"expected days >= 1 and shift > 0, got {self.days} and {self.shift}")


WORLDS: dict[str, World] = {
    "company": World(season=True, drift=True, broken=True),
    "plain": World(fit="additive", people="steady"),
    "interacting": World(people="steady"),
    "bursty": World(fit="additive"),
    "noisy": World(people="steady", noise="noisy"),
    "hard": World(noise="noisy", season=True),
    "drifting": World(drift=True),
    "shifted": World(fit="additive", shift=0.5),
    "nothing": World(signal=False),
}
