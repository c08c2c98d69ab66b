"""What a feature measures, in plain words. models/explaining/reasons.py says what a value of it means."""

from features.columns import Column
from models.explaining.words.english import ENGLISH

_ABOUT = {
    "count": "number of {events} {window}",
    "decayed": "{events}, the latest counting most (each loses half its weight in {n} days)",
    "own_rate": "{events}, more or less often than usual for this person, {window}",
    "value": "worth of {events} {window}", "last": "days since the last {event}",
    "active_days": "days with activity {window}", "topic": "interest in {name} {window}",
    "topics": "number of topics {window}", "last_topic": "last topic",
    "colleagues": "colleagues: {events} {window}", "colleagues_active": "colleagues active {window}",
    "colleagues_functions": "functions of active colleagues {window}", "colleagues_known": "colleagues known",
    "colleagues_won": "colleagues who converted before", "colleagues_lost": "colleagues who were lost before",
    "colleagues_seniority": "highest seniority among active colleagues {window}",
    "colleagues_last": "days since colleagues were last active",
    "colleagues_first": "days since the account's first lead came",
    "colleagues_won_last": "days since a colleague converted",
    "stages_entered": "stages entered so far", "stage": "stage it is in",
    "stage_days": "days since it entered stage {name}",
    "in_stage_days": "days in its stage", "age": "age in days",
    "life": "days since its creation or its first event", "episode": "how often it was opened again",
    "known_fields": "how many fields are known",
    "seniority": "seniority in {name}", "function": "function in {name}",
}  # fmt: skip


def about(column: Column) -> str:
    """A feature's name for people; fields and one's own features go by their names."""
    name = column.of.replace("_", " ") or column.name.partition("_")[2].replace("_", " ")
    key = "window.all" if column.days == 0 else "window.day" if column.days == 1 else "window.days"
    window = ENGLISH[key].format(n=column.days)
    return _ABOUT.get(column.measure, "{name}").format(
        name=name,
        event=ENGLISH.get(column.of, name),
        events=ENGLISH.get(f"{column.of}.all", name),
        window=window,
        n=column.days,
    )
