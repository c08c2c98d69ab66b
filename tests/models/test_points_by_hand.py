"""Twenty leads whose points were worked out on paper, decay to the day."""

import itertools

import pytest
from pointing import event, lead, tallied

TABLE = """
rules:
  - {id: title_chief, group: fit, when: {field: job_title, contains: [chief, vp]}, points: 20}
  - {id: size, group: fit, when: {field: employees, between: [50, 250]}, points: 15}
  - {id: pricing, group: behaviour, when: {event: pricing_view}, points: 15, each: true, max: 45, decay: {expires_days: 30}}
  - {id: eager, group: behaviour, when: {event: page_view, at_least: 8, within_days: 7}, points: 8}
  - {id: silent, group: behaviour, when: {no_event_for_days: 60}, points: -20}
  - {id: student, group: fit, when: {any: [{field: job_title, contains: [student]}, {field: email_domain_kind, eq: education}]}, points: -30}
  - {id: webinar, group: behaviour, when: {event: webinar}, points: 10, each: true, decay: {percent: 30, every_days: 10}}
  - {id: demo, group: behaviour, when: {event: demo_request}, points: 40, decay: {percent: 50, every_days: 30}}
  - {id: clicks, group: behaviour, when: {event: mail_click}, points: 4, each: true, max: 20, max_per_day: 8}
  - {id: budget, group: fit, when: {field: budget, gt: 10000}, points: 12}
  - {id: purchase, group: behaviour, when: {event: purchase}, auto_qualify: true}
  - {id: packet, group: fit, when: {field: seats, in: [10, 25]}, points: 3}
  - {id: spring, group: fit, when: {field: source, in: [fair]}, points: 5, from: 2025-03-01, until: 2025-04-01}
caps: {fit: [0, 50], behaviour: [-30, 100]}
exclude: [{field: source, eq: employee}]
thresholds: {mql: 60}
"""  # noqa: E501
CHIEF = {"job_title": "Chief Officer", "employees": 100.0}  # 20 + 15 = 35
DAY_0_CLICKS = [event(0.1 * i, "mail_click") for i in range(1, 6)]
EIGHT = [event(i, "page_view") for i in range(8)]  # days 0 to 7

CASES = [
    # nothing known, one day old
    ("nothing", lead(), 1, 0, False),
    # 20 + 15
    ("fit alone", lead(**CHIEF), 1, 35, False),
    # both ends of between are in: 15
    ("the lower end", lead(employees=50.0), 1, 15, False),
    ("the upper end", lead(employees=250.0), 1, 15, False),
    # 250.5 employees are more than 250
    ("past the end", lead(employees=250.5), 1, 0, False),
    # 10 and 25 seats are sold together: 3
    ("a number among some", lead(seats=25.0), 1, 3, False),
    ("a number between some", lead(seats=20.0), 1, 0, False),
    # the case does not matter: 20
    ("capitals", lead(job_title="SVP SALES"), 1, 20, False),
    # -30, and the cap's floor is 0
    ("a student", lead(job_title="Student"), 1, 0, False),
    # 35 fit + 2 × 15
    ("at the threshold", lead(event(0, "pricing_view"), event(2, "pricing_view"), **CHIEF), 3, 65, True),
    # 4 × 15 = 60, at most 45; 35 + 45
    ("max", lead(*(event(i, "pricing_view") for i in range(4)), **CHIEF), 4, 80, True),
    # five views at days 0 to 4; on day 30.0 the first is just 30 days old and gone: 4 × 15 = 60, at most 45
    ("max after expiry", lead(*(event(i, "pricing_view") for i in range(5))), 30, 45, False),
    # views on days 0 and 5: on day 30 one is left
    ("expired to the day", lead(event(0, "pricing_view"), event(5, "pricing_view")), 30, 15, False),
    # a microsecond of a day before, both are
    ("not yet expired", lead(event(0, "pricing_view"), event(5, "pricing_view")), 30 - 1e-6, 30, False),
    # eight page views on days 0 to 7; on day 7.0 the first is 7 days old: seven count
    ("eager no more", lead(*EIGHT), 7, 0, False),
    # on day 6.9 the eighth has not come; with one more on day 6 there are eight
    ("eager", lead(*EIGHT[:7], event(6.5, "page_view")), 6.9, 8, False),
    # the last event on day 1: from day 61 on -20; fit 35 stands
    ("silent", lead(event(1, "page_view"), **CHIEF), 61, 15, False),
    # webinars on days 0 and 15, at day 29.99: 2 full periods: 10 × 40 % = 4; 1: 10 × 70 % = 7
    ("decay in steps", lead(event(0, "webinar"), event(15, "webinar")), 29.99, 11, False),
    # day 30: 3 periods, 10 × 10 % = 1; the other 1 period, 7; a webinar 40 days old is worth 0, never below
    ("decay to the day", lead(event(0, "webinar"), event(15, "webinar"), event(-10, "webinar")), 30, 8, False),
    # demos on days 0 and 20, at day 50: without `each` the age of the latest counts, 30 days: 40 × 50 %
    ("decay without each", lead(event(0, "demo_request"), event(20, "demo_request")), 50, 20, False),
    # five clicks on day 0: 20, at most 8 a day; two on day 1: 8; two on day 2: 8; 24, at most 20
    ("max_per_day before max", lead(*DAY_0_CLICKS, event(1, "mail_click"), event(1.5, "mail_click"),
                                    event(2, "mail_click"), event(2.1, "mail_click")), 3, 20, False),
    # a click that reached us on day 9 is not known on day 3: 4
    ("known late", lead(event(1, "mail_click"), event(1.2, "mail_click", known=9)), 3, 4, False),
    # the budget was 5,000 on day 2 and 20,000 on day 4: on day 3.99 not above 10,000; on day 4 it is: 12
    ("history before", lead(budget=[(2, 5000.0), (4, 20000.0)]), 3.99, 0, False),
    ("history from then on", lead(budget=[(2, 5000.0), (4, 20000.0)]), 4, 12, False),
    # outright, without a point
    ("auto_qualify", lead(event(1, "purchase")), 2, 0, True),
    # 65 points, but an employee: never
    ("excluded", lead(event(1, "pricing_view"), event(2, "pricing_view"), **CHIEF, source="employee"), 3, 65, False),
    # 1 March is day 59, 1 April day 90
    ("before from", lead(event(58, "page_view"), source="fair"), 58.99, 0, False),
    ("at from", lead(event(58, "page_view"), source="fair"), 59, 5, False),
    ("at until", lead(event(58, "page_view"), source="fair"), 90, 0, False),
    # 20 + 15 + 12 + 5 = 52, at most 50
    ("cap", lead(event(58, "page_view"), **CHIEF, budget=[(1, 99000.0)], source="fair"), 60, 50, False),
]  # fmt: skip


@pytest.mark.parametrize(("given", "day", "points", "qualifies"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_points_on_paper(given: object, day: float, points: float, qualifies: bool) -> None:
    """The engine gives what the paper says, to the last bit. Other leads beside it have the other fields."""
    fields = {"job_title": "x", "employees": 1.0, "email_domain_kind": "x", "source": "x", "seats": 1.0}
    other = lead(event(0, "other"), **fields, budget=[(0, 1.0)])
    found = tallied(TABLE, [given, other], [day, day])
    assert found.total[0] == points
    assert found.qualified[0] == qualifies


def test_of_several_thresholds_all_are_needed() -> None:
    """Fit alone does not do where behaviour is asked for too."""
    text = TABLE.replace("{mql: 60}", "{fit: 30, behaviour: 20}")
    views = [event(0, "pricing_view"), event(1, "pricing_view")]
    full = {**CHIEF, "email_domain_kind": "x", "source": "x", "seats": 1.0, "budget": [(0, 1.0)]}
    found = tallied(text, [lead(**full), lead(*views, **full), lead(*views, **{**full, "employees": 1.0})], [2, 2, 2])
    assert found.qualified.tolist() == [False, True, False]


def test_a_missing_value_meets_only_known_false() -> None:
    """Every other test of it fails, and `not` of one holds."""
    text = """
    rules:
      - {id: a, when: {field: size, lt: 5}, points: 1}
      - {id: b, when: {field: size, known: false}, points: 2}
      - {id: c, when: {not: {field: size, gt: 5}}, points: 4}
      - {id: d, when: {field: size, known: true}, points: 8}
    """
    assert tallied(text, [lead(size=None), lead(size=3.0), lead(size=9.0)], [0, 0, 0]).total.tolist() == [6, 13, 8]


def test_decimals_reach_a_decimal_threshold() -> None:
    """0.1 + 0.2 is enough for 0.3, and so is 0.7 - 0.4, in a group as in all."""
    for name, (a, b) in itertools.product(("mql", "points"), ((0.1, 0.2), (0.7, -0.4))):
        text = f"""
        rules:
          - {{id: a, when: {{event: x}}, points: {a}}}
          - {{id: b, when: {{event: x}}, points: {b}}}
        thresholds: {{{name}: 0.3}}
        """
        assert tallied(text, [lead(event(0, "x"))], [0]).qualified.tolist() == [True]


def test_who_is_excluded_never_qualifies() -> None:
    """Not even outright."""
    text = """
    rules:
      - {id: a, when: {event: x}, auto_qualify: true}
      - {id: b, when: {event: x}, points: 9}
    exclude: [{field: source, eq: employee}]
    thresholds: {mql: 5}
    """
    found = tallied(text, [lead(event(0, "x"), source=source) for source in ("employee", "web")], [0, 0])
    assert found.qualified.tolist() == [False, True]
    assert found.outright.tolist() == [True, True]


def test_silence_goes_by_when_things_happened() -> None:
    """Not by which was heard of last: what is known on day 12 of day 5 does not undo what happened on day 10."""
    text = "rules: [{id: a, when: {no_event_for_days: 6}, points: 1}]"
    one = lead(event(10, "x"), event(5, "x", known=12))
    assert tallied(text, [one] * 3, [13, 15.9, 16]).total.tolist() == [0, 0, 1]


def test_a_late_record_grows_old_with_its_event() -> None:
    """Its window ends so long after it happened, to the microsecond, whenever it became known."""
    text = "rules: [{id: a, when: {event: x, within_days: 7}, points: 1}]"
    days = [0.5, 1, 7 - 1e-6, 7]
    for known in (0, 1):
        found = tallied(text, [lead(event(0, "x", known=known))] * 4, days).total.tolist()
        assert found == [float(known == 0), 1, 1, 0]


def test_events_by_topic_and_value() -> None:
    """Both must fit; what is not given does not matter; `each` below `all` goes by its one event."""
    text = """
    rules:
      - {id: a, when: {event: page_view, topic: pricing}, points: 1, each: true}
      - {id: b, when: {event: [page_view, call], value: {gt: 30}}, points: 10, each: true}
      - {id: c, when: {all: [{event: call, at_least: 2}, {field: country, in: [FI]}]}, points: 100, each: true}
    """
    events = [
        event(0, "page_view", "pricing", 31),
        event(1, "page_view", "pricing"),
        event(2, "page_view", None, 30),
        event(3, "call", None, 60),
        event(4, "call"),
    ]
    # a: 2 × 1; b: 31 and 60, 2 × 10; c: 2 × 100 in Finland
    found = tallied(text, [lead(*events, country="FI"), lead(*events, country="SE")], [9, 9])
    assert found.total.tolist() == [222, 22]
