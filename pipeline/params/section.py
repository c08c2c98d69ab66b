"""What all sections of params.yaml are."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """Frozen and strict about its keys; a number is a number, not .nan or .inf."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
