"""Which column figures are parted by."""

from features.columns import Attribute
from pipeline.assembly.planning import learn_plan
from pipeline.judging.partings import column_of
from pipeline.params import Definition


def test_it_is_the_column_that_the_kernel_has() -> None:
    """Also where two attributes would be called alike, and one of them is numbered."""
    title = Attribute("title", "title", "lead", "text")
    level = Attribute("title_seniority", "title_seniority", "lead", "categorical")
    definition = Definition.model_validate({"slices": {"segment": "title_seniority"}})
    plan = learn_plan({}, (title, level), definition, None)
    found = column_of(plan, definition, "segment")
    assert found == "fit_title_seniority_no2"
    assert plan.columns[plan.place[found]].categorical
