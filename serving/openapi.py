"""The OpenAPI document, made for the bundle that is served. Its examples run as they stand."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from models.bundle.golden import golden_requests
from models.explaining.words import LANGUAGES
from serving.answers import Model, answer, wanted
from serving.schemas import ANSWER, BATCH_ANSWER, PROBLEM, Schema, request_schema
from serving.settings import Settings

WHEN = datetime(2025, 6, 1, 12, tzinfo=UTC)
STATUSES = {
    400: "Not JSON, or not strict JSON.", 401: "No valid API key.", 403: "The key's scope is another.",
    404: "No such route.", 405: "Not by this method.", 408: "The body came too slowly.", 409: "The bundle is damaged.",
    413: "The body is too large.", 415: "Not application/json, or compressed.", 422: "Not a lead, at the place named.",
    429: "Busy; try again after Retry-After.", 503: "No model, stopping, or too late.",
}  # fmt: skip
SCORING = (400, 401, 403, 405, 408, 413, 415, 422, 429, 503)


def document(model: Model, settings: Settings) -> dict[str, Any]:
    """OpenAPI 3.1."""
    bundle = model.bundle
    request, reply = examples(model, settings)
    lead = {"$ref": "#/components/schemas/Lead"}
    batch = {"type": "object", "required": ["leads"], "properties": {
        "leads": {"type": "array", "items": lead, "maxItems": settings.max_batch},
        "explain": {"type": ["boolean", "null"], "description": "For all that do not say themselves."},
        "language": {"enum": [*LANGUAGES, None]},
    }}  # fmt: skip
    results = {"results": [reply], "warnings": [], "model_version": bundle.version, "model_digest": bundle.digest}
    return {
        "openapi": "3.1.0",
        "info": {"title": "leadscore", "version": bundle.version,
                 "description": "The probability that an open lead converts, with exact reasons."},
        "security": [{"key": []}],
        "paths": {
            "/v1/score": {"post": _scoring("score", "Score one lead.", lead, request, "Answer", reply)},
            "/v1/score/batch": {"post": _scoring("scoreBatch", "Score many leads; one bad record does not fail the "
                                                 "others.", batch, {"leads": [request]}, "BatchAnswer", results)},
            "/v1/model": {"get": _simple("model", "What the model is.", (401, 403, 405, 503))},
            "/v1/model/reload": {"post": _simple("reload", "Verify the bundle again and serve it.",
                                                 (401, 403, 405, 409))},
            "/v1/openapi.json": {"get": _simple("openapi", "This document.", (401, 403, 405, 503))},
            "/livez": {"get": _public("live", "The process answers.")},
            "/readyz": {"get": _public("ready", "A verified model is served.")},
            "/metrics": {"get": {**_public("metrics", "For Prometheus."), "responses": {
                "200": {"description": "Text.", "content": {"text/plain": {"schema": {"type": "string"}}}},
                **_problems((405,)),
            }}},
        },
        "components": {
            "schemas": {"Lead": request_schema(bundle, settings), "Answer": ANSWER, "BatchAnswer": BATCH_ANSWER,
                        "Problem": PROBLEM},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }  # fmt: skip


def examples(model: Model, settings: Settings) -> tuple[Schema, Schema]:
    """An imagined lead that has every part, and what this model answers."""
    made = golden_requests(model.bundle.plan, model.bundle.encoding, 0, 50)
    request = _within(max(made, key=lambda r: (len(r), -len(str(r)))), settings)
    one = answer(model, [wanted(request, settings)], WHEN)[0]
    return request, msgspec.to_builtins(one)


def _within(request: Schema, settings: Settings) -> Schema:
    """Without the rows that the settings would refuse."""
    found = {k: v[: settings.max_events] if isinstance(v, list) else v for k, v in request.items()}
    if "account_leads" in request:
        colleagues = request["account_leads"][: settings.max_colleagues]
        found["account_leads"] = [_within(colleague, settings) for colleague in colleagues]
    return found


def _scoring(name: str, summary: str, schema: Schema, example: Schema, answer_: str, reply: Schema) -> Schema:
    content = {"application/json": {"schema": schema, "example": example}}
    ok = {"application/json": {"schema": {"$ref": f"#/components/schemas/{answer_}"}, "example": reply}}
    return {
        "operationId": name, "summary": summary, "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "Scored.", "content": ok}, **_problems(SCORING)},
    }  # fmt: skip


def _simple(name: str, summary: str, statuses: tuple[int, ...]) -> Schema:
    ok = {"application/json": {"schema": {"type": "object"}}}
    return {"operationId": name, "summary": summary,
            "responses": {"200": {"description": "Done.", "content": ok}, **_problems(statuses)}}  # fmt: skip


def _public(name: str, summary: str) -> Schema:
    return {**_simple(name, summary, (405, 503)), "security": []}


def _problems(statuses: tuple[int, ...]) -> Schema:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(status): {"description": STATUSES[status], "content": content} for status in statuses}
