"""The words and numbers that the features are made of: windows, well-known events, titles."""

from collections.abc import Iterable, Mapping

from features.columns import slug

WINDOWS_D = (1, 3, 7, 14, 30, 90)
"""Windows of event counts in days: an event counts while its age is less."""
HALF_LIVES_D = (7, 30)
OWN_D = (7, 14, 30)
"""Windows whose rate is compared with the lead's own past."""
ACTIVE_D = (7, 30, 90)
"""Windows of active days."""
VALUE_D = (30, 90, 0)
"""Windows of sums of the events' values; 0: all."""
TOPIC_D = 30
"""Window of counts by topic."""
NEAR_D = (7, 30)
"""Windows of the colleagues' counts."""

YES = frozenset({"true", "yes", "1", "1.0", "y", "t", "kyllä", "ja"})
NO = frozenset({"false", "no", "0", "0.0", "n", "f", "ei", "nej", "nein"})
"""Texts (case folded) that are true and false where an attribute is, in tables, requests and tables of points."""

SCANNER = "scanner_click"
"""Clicks that follow another within seconds: a mail scanner's, set apart by the kernel."""
OTHER = "other"
"""Every event type that training had not seen."""

ENGAGEMENT_TOTAL, INTENT_TOTAL = "any_engagement", "any_intent"

INTENT = frozenset(
    [
        "pricing_view",
        "pricing",
        "demo_request",
        "demo",
        "contact_request",
        "contact_form",
        "quote_request",
        "quote",
        "trial_start",
        "trial",
        "trial_signup",
        "proposal_view",
        "meeting_booked",
        "meeting_request",
        "comparison_view",
        "roi_calculator",
        "purchase",
        "add_to_cart",
        "checkout",
        "security_review",
        "price_list_download",
    ]
)
SELLER = frozenset(
    [
        "sales_call",
        "call_made",
        "outbound_call",
        "sales_email",
        "mail_sent",
        "email_sent",
        "email_delivered",
        "mail_delivered",
        "sms_sent",
        "task",
        "note",
        "assignment",
        "sequence_step",
        "linkedin_message_sent",
    ]
)
CLICKS = frozenset({"mail_click", "mail_clicked", "email_click", "email_clicked", "email_link_click"})
OPENS = frozenset({"mail_open", "mail_opened", "email_open", "email_opened", "email_opens"})
VISITS = frozenset({"page_view", "pageview", "page_visit", "visit", "web_visit", "website_visit", "session"})
ENGAGEMENT = (
    CLICKS | OPENS | VISITS
    | frozenset({"email_reply", "mail_reply", "email_replied", "form_submit",
                 "form_submission", "form_fill", "download", "webinar", "webinar_attended", "event_attended", "chat",
                 "product_use", "product_usage", "feature_use", "app_login", "login", "unsubscribe"})
)  # fmt: skip
"""Well-known types that are engagement and raise no question; every other unnamed one is, too."""
STAGES = {
    "mql": frozenset({"mql", "marketing_qualified", "marketing_qualified_lead", "marketingqualifiedlead"}),
    "sql": frozenset({"sql", "sales_qualified", "sales_qualified_lead", "salesqualifiedlead"}),
    "sal": frozenset({"sal", "sales_accepted", "sales_accepted_lead"}),
    "opportunity": frozenset({"opportunity", "opportunity_created", "deal_created", "opp"}),
}
"""What stages on the way are called, by what they are."""
SENIORITIES = ("intern", "junior", "specialist", "manager", "director", "vp", "chief", "owner")
DECIDES = SENIORITIES.index("director")
"""Who has at least this seniority by the job title is taken to decide."""
FUNCTIONS = (
    "it", "engineering", "marketing", "sales", "finance", "hr", "operations", "procurement", "legal", "product",
    "support", "general", "education", "health",
)  # fmt: skip


def stages_called(what: str, names: Iterable[str]) -> list[str]:
    """Those of the names that mean a stage of STAGES, in any spelling: "Marketing Qualified Lead" is an mql."""
    return [name for name in names if slug(name) in STAGES[what]]


def event_group(name: str, said: Mapping[str, str]) -> str:
    """Group of an event type: what the user said, else by well-known name ("Email Sent" is email_sent), else
    engagement."""
    plain = slug(name)
    known = "intent" if plain in INTENT else "seller" if plain in SELLER else "engagement"
    return said.get(name, known)
