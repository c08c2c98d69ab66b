"""How attributes bear on what is hidden: which accounts have a project, which people buy.

The hidden parts are drawn given the attributes as the tables show them; a missing attribute means, by
construction, the average over its values. So the prior of the exact filter needs nothing but the tables.
"""

from functools import lru_cache

import numpy as np

from pipeline.simulator.arrays import Floats, Ints
from pipeline.simulator.titles import FUNCTIONS
from pipeline.simulator.world import World

INDUSTRIES = (
    *("software", "manufacturing", "retail", "finance"),
    *("healthcare", "logistics", "education", "public"),
)
INDUSTRY_SHARE = np.array([0.20, 0.16, 0.14, 0.10, 0.12, 0.10, 0.09, 0.09])
COUNTRIES = ("FI", "SE", "NO", "DK", "DE", "GB", "US")
COUNTRY_SHARE = np.array([0.30, 0.20, 0.08, 0.08, 0.14, 0.12, 0.08])
SOURCES = ("referral", "organic", "paid_search", "webinar", "trade_show", "outbound", "content", "ai_search")
SOURCE_SHARE = np.array([0.08, 0.24, 0.20, 0.12, 0.10, 0.12, 0.14, 0.0])
DRIFT_SOURCE_SHARE = np.array([0.08, 0.16, 0.16, 0.12, 0.10, 0.12, 0.12, 0.14])
DOMAINS = ("corporate", "free", "education")
DOMAIN_SHARE = np.array([0.78, 0.16, 0.06])
SENIORITY_SHARE = np.array([0.08, 0.36, 0.30, 0.18, 0.08])
FUNCTION_SHARE = np.array([0.22, 0.20, 0.18, 0.10, 0.14, 0.06, 0.10])
LOG_SIZE, LOG_SIZE_SPREAD = np.log(90.0), 1.6  # employees are about log normal

_INDUSTRY = np.array([1.0, 0.5, -0.6, 0.7, -0.1, 0.3, -1.5, -1.1])
_INDUSTRY_DRIFT = np.array([0.4, 0.7, 0.2, 0.5, 0.3, 0.0, -1.5, -0.6])
_SWEET_SPOT = np.log(np.array([40.0, 300.0, 60.0, 450.0, 180.0, 80.0, 120.0, 350.0]))
_COUNTRY = np.array([0.7, 0.4, 0.1, 0.0, -0.4, -0.6, -1.1])
_SENIORITY = np.array([-3.0, -0.8, 0.6, 1.5, 1.0])
_FUNCTION = np.array([0.7, 1.1, 0.2, -0.2, 0.0, -0.9, -1.5])
_SOURCE = np.array([1.5, 0.2, -0.4, 0.3, -0.3, -0.9, -0.6, 0.4])
_DOMAIN = np.array([0.4, -1.2, -2.2])
_FUNCTION_SOURCE = np.zeros((len(FUNCTIONS), len(SOURCES)))
_FUNCTION_SOURCE[0, 4], _FUNCTION_SOURCE[0, 6] = 1.2, -1.0  # sales people buy from a fair, read for leisure
_FUNCTION_SOURCE[1, 3], _FUNCTION_SOURCE[1, 5] = -1.1, 1.2
_FUNCTION_SOURCE[2, 1], _FUNCTION_SOURCE[2, 4] = 1.2, -1.0
_FUNCTION_SOURCE[3, 5], _FUNCTION_SOURCE[4, 2] = 1.2, 1.2
# Chances of the three paces, by seniority: who decides has less time to click.
_PACE = np.array([[0.20, 0.40, 0.40], [0.25, 0.45, 0.30], [0.35, 0.40, 0.25], [0.45, 0.40, 0.15], [0.55, 0.35, 0.10]])


def _chance(log_odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))


def _weights(codes: Ints, share: Floats) -> Floats:
    """(n, levels): one where the level is known, the shares of all where it is missing (-1)."""
    return np.asarray(np.where(codes[:, None] < 0, share, np.arange(len(share)) == codes[:, None]))


def _projects(world: World, log_size: Floats, drifted: int) -> Floats:
    """Chance of a project, (n, industries, countries), of accounts of these sizes."""
    industry = _INDUSTRY_DRIFT if drifted else _INDUSTRY
    spot = _SWEET_SPOT if world.fit == "interacting" else np.full(len(INDUSTRIES), np.log(130.0))
    size = 1.8 - 1.1 * ((log_size[:, None] - spot) / 1.1) ** 2
    return _chance(-1.2 + (industry + np.maximum(size, -3.5))[:, :, None] + _COUNTRY)


@lru_cache(maxsize=32)
def _sizeless(world: World, drifted: int) -> Floats:
    """The same, averaged over sizes: where employees are missing."""
    width = np.linspace(-3.5, 3.5, 281)
    weight = np.exp(-(width**2) / 2)
    chances = _projects(world, LOG_SIZE + LOG_SIZE_SPREAD * width, drifted)
    return np.asarray(np.tensordot(weight / weight.sum(), chances, axes=1))


def project_chance(world: World, industry: Ints, country: Ints, employees: Floats, drifted: Ints) -> Floats:
    """(n,) chance that an account has a project. Missing: codes -1, employees NaN. `drifted`: 0 or 1."""
    log_size = np.log(np.where(employees > 0, employees, 1.0))
    chances = np.empty((len(industry), len(INDUSTRIES), len(COUNTRIES)))
    for late in (0, 1):
        here = drifted == late
        sized = _projects(world, log_size[here], late)
        chances[here] = np.where((employees[here] > 0)[:, None, None], sized, _sizeless(world, late))
    by_country = np.einsum("nic,nc->ni", chances, _weights(country, COUNTRY_SHARE))
    return np.asarray((by_country * _weights(industry, INDUSTRY_SHARE)).sum(axis=1))


def buyer_chance(world: World, seniority: Ints, function: Ints, source: Ints, domain: Ints) -> Floats:
    """(n,) chance that a person is a buyer and no mere reader. Codes: -1 missing."""
    crossed = _FUNCTION_SOURCE if world.fit == "interacting" else np.zeros_like(_FUNCTION_SOURCE)
    fact = _FUNCTION[:, None] + _SOURCE + crossed
    chances = _chance(-0.35 + _SENIORITY[:, None, None, None] + fact[:, :, None] + _DOMAIN)
    known = np.einsum("sfod,nd->nsfo", chances, _weights(domain, DOMAIN_SHARE))
    known = np.einsum("nsfo,no->nsf", known, _weights(source, SOURCE_SHARE))
    by_title = np.einsum("nsf,nf->ns", known, _weights(function, FUNCTION_SHARE))
    return np.asarray((by_title * _weights(seniority, SENIORITY_SHARE)).sum(axis=1))


def pace_chances(seniority: Ints) -> Floats:
    """(n, paces) chances of each pace. Codes: -1 missing."""
    return np.asarray(_weights(seniority, SENIORITY_SHARE) @ _PACE)
