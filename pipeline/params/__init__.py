"""params.yaml, read once into typed, frozen objects, a class a section. A typo is an error that names the key."""

from pipeline.params.definition import Attribute, Conversion, Definition
from pipeline.params.file import SECTIONS, Params, load_params, parse_params
from pipeline.params.policy import ROUTES, Compare, NetBenefit, Policy, Threshold
from pipeline.params.section import Section
from pipeline.params.source import Source, Validate
from pipeline.params.training import Leaks, Split, Tracking, Train

__all__ = [
    "ROUTES",
    "SECTIONS",
    "Attribute",
    "Compare",
    "Conversion",
    "Definition",
    "Leaks",
    "NetBenefit",
    "Params",
    "Policy",
    "Section",
    "Source",
    "Split",
    "Threshold",
    "Tracking",
    "Train",
    "Validate",
    "load_params",
    "parse_params",
]
