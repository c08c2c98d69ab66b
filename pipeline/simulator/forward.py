"""The forward filter: what each lead's days say about its account's project and about its own state."""

from dataclasses import dataclass

import numpy as np

from pipeline.simulator.arrays import DAY_US, Bools, Floats, Ints
from pipeline.simulator.beliefs import Beliefs
from pipeline.simulator.law import READER, Law, law
from pipeline.simulator.looks import likelihood, look
from pipeline.simulator.observed import NEVER, Observed
from pipeline.simulator.world import World


@dataclass(frozen=True)
class Questions:
    """Pairs of a lead and an instant (µs from the start); `own` where its hidden state is wanted too."""

    lead: Ints
    at: Ints
    own: Bools


@dataclass(frozen=True)
class Answers:
    """By hypothesis on the project: `evidence` (Z, n) of each question, and for own ones, `states` (4, Z,
    own).

    Of evidence only ratios within a column mean anything; states are weights that add up to the evidence.
    """

    evidence: Floats
    states: Floats


@dataclass(frozen=True)
class _Plan:
    """Who is followed how long. Leads are ordered longest first; ages are days since creation."""

    order: Ints
    need: Ints  # (followed,) last age at which each is asked about
    age: Ints  # of each question
    place: Ints  # of each question's lead in the order


def _plan(seen: Observed, lead: Ints, at: Ints) -> _Plan:
    """A lead closed for good tells no more: it is not followed beyond the day after."""
    born = seen.created[lead] // DAY_US
    close = seen.episodes.close[seen.episodes.at(lead, at)]
    age = at // DAY_US - born
    age = np.where(close == NEVER, age, np.minimum(age, close // DAY_US + 1 - born))
    need = np.full(len(seen.created), -1)
    np.maximum.at(need, lead, age)
    order = np.argsort(-need, kind="stable")[: int((need >= 0).sum())]
    rank = np.empty(len(need), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return _Plan(order, need[order], age, rank[lead])


def ask(seen: Observed, world: World, questions: Questions) -> Answers:
    """Follow the leads asked about day by day, and answer each question on its day."""
    numbers = law(world)
    plan = _plan(seen, questions.lead, questions.at)
    beliefs = Beliefs(numbers, world, seen, plan.order)
    chances, begin = _whole_days(seen, numbers, plan)
    final = likelihood(numbers, look(seen, questions.lead, questions.at // DAY_US, questions.at, whole=False))
    again_age, again_place = _restarts(seen, plan)
    by_age = np.argsort(plan.age, kind="stable")
    edges = np.searchsorted(plan.age[by_age], np.arange(plan.need[0] + 2))
    hypotheses = len(world.starts) + 1
    answers = Answers(np.empty((hypotheses, len(plan.age))), np.empty((4, hypotheses, len(plan.age))))
    for age in range(int(plan.need[0]) + 1):
        again = again_place[again_age == age]
        again = again[again < len(beliefs)]
        beliefs.restart(again, beliefs.born[again] + age)
        mine = by_age[edges[age] : edges[age + 1]]
        _answer(beliefs, plan.place[mine], final[..., mine], mine, answers)
        beliefs.shorten(int(begin[age + 1] - begin[age]))
        beliefs.pass_day(age, chances[..., begin[age] : begin[age + 1]])
    return Answers(answers.evidence, answers.states[..., questions.own])


def _answer(beliefs: Beliefs, place: Ints, final: Floats, mine: Ints, answers: Answers) -> None:
    """Join the beliefs of the midnight before with what the day showed until then."""
    bursts, paces = final.shape[1:3]
    buyer = beliefs.buyer[..., place]
    buyer *= final[:READER].reshape(3 * bursts, paces, 1, len(place))
    states = answers.states
    states[:READER, :, mine] = buyer.reshape(3, bursts * paces, *buyer.shape[2:]).sum(axis=1)
    states[READER, :, mine] = (beliefs.reader[..., place] * final[READER]).sum(axis=(0, 1))[:, None]
    answers.evidence[:, mine] = states[..., mine].sum(axis=0)


def _whole_days(seen: Observed, numbers: Law, plan: _Plan) -> tuple[Floats, Ints]:
    """Chances of what all whole days needed showed, age by age, and where each age begins."""
    counts = np.searchsorted(-plan.need, -np.arange(plan.need[0] + 1), "left")
    begin = np.concatenate([[0], counts.cumsum()])
    age = np.repeat(np.arange(len(counts)), counts)
    lead = plan.order[np.arange(len(age)) - begin[age]]
    day = seen.created[lead] // DAY_US + age
    return likelihood(numbers, look(seen, lead, day, (day + 1) * DAY_US - 1, whole=True)), begin


def _restarts(seen: Observed, plan: _Plan) -> tuple[Ints, Ints]:
    """Age, and place in the order, of each later beginning of the leads followed."""
    place = np.full(len(seen.created), -1)
    place[plan.order] = np.arange(len(plan.order))
    lead = np.repeat(np.arange(len(seen.created)), np.diff(seen.episodes.first))
    later = (seen.episodes.begin > seen.created[lead]) & (place[lead] >= 0)
    lead = lead[later]
    return seen.episodes.begin[later] // DAY_US - seen.created[lead] // DAY_US, place[lead]
