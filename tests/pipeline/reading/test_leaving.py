"""Leads that are left out because the person objects are a fair part of all, or it is said."""

import pytest
from validating import checked


def leads(objectors: int, won: int, flat: bool = False) -> dict[str, list[dict[str, object]]]:
    """A thousand leads of which a hundred convert, and those who object, so many of whom convert."""
    lead = {"created_at": "2024-01-01", "objected": "no"}
    rows = [{**lead, "lead_id": str(n), "source": "ab"[n % 2], "converted": n < 100} for n in range(1000)]
    rows += [{**rows[0], "lead_id": f"o{n}", "objected": "yes", "converted": n < won} for n in range(objectors)]
    sold = [{"lead_id": row["lead_id"], "stage": "won", "entered_at": "2024-03-01"} for row in rows if row["converted"]]
    if flat:
        return {"leads": [{k: v for k, v in row.items() if k != "created_at"} for row in rows]}
    return {"leads": [{k: v for k, v in row.items() if k != "converted"} for row in rows], "stages": sold}


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize(
    ("objectors", "won", "told"), [(500, 2, True), (500, 30, False), (60, 0, False), (0, 0, False)]
)
def test_objections_after_the_contact_are_said(objectors: int, won: int, told: bool, flat: bool) -> None:
    """Where surely a third at most as many of those who object convert: few of them, or some who convert, prove it not.
    The others' probabilities are then too high, and no test shows it, for it leaves out the same."""
    given = leads(objectors, won, flat)
    found = [warning for warning in checked(**given).meta["warnings"] if warning.startswith("leads.objected: of")]
    assert len(found) == told
    assert all(f"of {objectors} leads that object {won} convert, of the 1,000 others 100" in one for one in found)
