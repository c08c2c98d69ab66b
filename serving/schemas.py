"""JSON Schemas of what comes in and goes out. Those of requests follow the bundle."""

from typing import Any

from features.columns import Attribute
from models.bundle.folder import Bundle
from models.explaining.words import LANGUAGES
from serving.cautions import TEXTS
from serving.settings import Settings

Schema = dict[str, Any]
TIME: Schema = {"type": "string", "format": "date-time", "examples": ["2025-10-03T00:00:00Z"]}
TEXT: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": ["number", "null"]}
KINDS: dict[str, Schema] = {
    "numeric": NUMBER,
    "boolean": {"type": ["boolean", "null"]},
    "categorical": {"type": ["string", "number", "boolean", "null"]},
    "text": TEXT,
}


def request_schema(bundle: Bundle, settings: Settings) -> Schema:
    """A lead to score. Fields that the model does not know are accepted, with a warning."""
    rows, dated = _rows(bundle, settings), bundle.training["shape"] != "flat"
    lead = {
        "lead_id": {"type": ["string", "integer", "null"], "description": "Echoed as it is."},
        "created_at": {
            **TIME,
            "type": "string" if dated else ["string", "null"],
            "description": "When the lead was created." if dated else "Not looked at: training knew no dates.",
        },
        "account_id": TEXT,
        "objected": {"type": ["boolean", "null"], "description": "The person objects to being profiled: no score."},
        "value": {**NUMBER, "description": "Deal value expected of the lead."},
        **_attributes(bundle, "lead"),
    }
    one = {"type": "object", "properties": lead, "required": ["created_at"] if dated else []}
    colleague = {"type": "object", "required": ["lead"], "properties": {"lead": one, **rows}}
    options = {
        "as_of": {**TIME, "type": ["string", "null"], "description": "Score as it was known then. Default: now."},
        "explain": {"type": ["boolean", "null"], "default": True, "description": "Exact reasons."},
        "language": {"enum": [*LANGUAGES, None], "default": "en", "description": "Of reasons and warnings."},
    }
    return {
        "type": "object",
        "required": ["lead"],
        "description": "An empty list says that there was nothing; a list left out, or null, that nobody knows.",
        "properties": {
            "lead": one,
            "account": {"type": ["object", "null"],
                        "properties": {"account_id": TEXT, **_attributes(bundle, "account")}},
            **rows,
            "account_leads": {"type": ["array", "null"], "items": colleague, "maxItems": settings.max_colleagues,
                              "description": "The other leads of the account. Where one of them leaves out events or "
                              "stages, it is unknown what they did: the whole list counts as left out."},
            **options,
        },
    }  # fmt: skip


def _attributes(bundle: Bundle, entity: str) -> Schema:
    mine = [a for a in bundle.plan.attributes if a.entity == entity and not a.has_history]
    return {a.column: _attribute(bundle, a) for a in mine}


def _attribute(bundle: Bundle, a: Attribute) -> Schema:
    found = {**KINDS[a.kind], "description": f"A {a.kind} field of the group {a.group}."}
    level = bundle.encoding.levels.get(bundle.plan.column_of[a])
    if a.kind == "categorical" and level is not None and level.vocabulary:
        found["examples"] = list(level.vocabulary[:10])
    return found


def _rows(bundle: Bundle, settings: Settings) -> Schema:
    plan = bundle.plan
    fields = sorted({a.column for a in plan.attributes if a.has_history})
    event = {
        "type": {"type": "string", "minLength": 1, "examples": [t.name for t in plan.types][:20]},
        "occurred_at": TIME,
        "available_at": {
            **TIME,
            "type": ["string", "null"],
            "description": "When the record reached you, where later.",
        },
        "topic": {**TEXT, "examples": list(plan.topics[:20])},
        "value": NUMBER,
        "event_id": {"type": ["string", "integer", "null"], "description": "Makes a repeat harmless."},
    }
    stage = {"stage": {"type": "string", "minLength": 1, "examples": list(plan.stages)}, "entered_at": TIME}
    change = {
        "entity": {"enum": ["lead", "account", None], "default": "lead"},
        "field": {"type": "string", "examples": fields},
        "value": {"type": ["string", "number", "boolean", "null"]},
        "changed_at": TIME,
    }
    return {
        "events": _list(event, ["type", "occurred_at"], settings),
        "stages": _list(stage, ["stage", "entered_at"], settings),
        "history": _list(change, ["field", "changed_at"], settings),
    }


def _list(properties: Schema, required: list[str], settings: Settings) -> Schema:
    item = {"type": "object", "properties": properties, "required": required}
    return {"type": ["array", "null"], "items": item, "maxItems": settings.max_events}


def _closed(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


WARNINGS: Schema = {"type": "array", "items": _closed({
    "code": {"enum": list(TEXTS["en"])}, "place": {"type": "string"}, "text": {"type": "string"},
})}  # fmt: skip
ANSWER: Schema = _closed({
    "lead_id": {"type": ["string", "integer", "null"]},
    "as_of": TIME,
    "status": {"enum": ["scored", "closed", "objected"], "description": "The last two have no probability."},
    "probability": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "shorter": {"type": "object", "additionalProperties": {"type": "number"},
                "description": "Probabilities within the model's shorter horizons, such as probability_30d."},
    "score": {"type": ["integer", "null"], "minimum": 0, "maximum": 100},
    "grade": TEXT,
    "route": TEXT,
    "qualified": {"type": ["boolean", "null"], "description": "Whether it reaches the policy's threshold, if any."},
    "expected_value": NUMBER,
    "value_source": {**TEXT, "description": "Where the deal's value is from: lead, a segment's column, or overall."},
    "base": {**NUMBER, "description": "Raw score of a lead of which nothing is known, in log odds."},
    "groups": {"type": ["object", "null"], "description": "What each group adds; base and groups make raw_score.",
               "additionalProperties": {"type": "number"}},
    "raw_score": {**NUMBER, "description": "Log odds before calibration."},
    "reasons": {"type": "array", "items": _closed({
        "feature": {"type": "string"}, "group": {"enum": ["fit", "engagement", "intent"]},
        "contribution": {"type": "number"}, "text": {"type": "string"},
    })},
    "warnings": WARNINGS,
    "model_version": {"type": "string"},
    "model_digest": {"type": "string"},
    "scored_at": TIME,
})  # fmt: skip

PROBLEM: Schema = {
    "type": "object",
    "description": "RFC 9457. Never repeats what the caller sent.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "place": {"type": "string", "description": "Where in the request."},
        "expected": {"type": "string"},
    },
}
BATCH_ANSWER: Schema = _closed({
    "results": {"type": "array", "items": {"anyOf": [{"$ref": "#/components/schemas/Answer"},
                                                     {"$ref": "#/components/schemas/Problem"}]}},
    "warnings": {**WARNINGS, "description": "Fields of the batch itself that nobody looks at."},
    "model_version": {"type": "string"},
    "model_digest": {"type": "string"},
})  # fmt: skip
