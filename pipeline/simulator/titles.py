"""Job titles as people write them, in English, Finnish and Swedish, and what each says."""

from functools import lru_cache

SENIORITIES = ("student", "specialist", "manager", "head", "chief")
FUNCTIONS = ("sales", "marketing", "it", "finance", "operations", "people", "research")

_STEMS = {
    "en": ("Sales", "Marketing", "IT", "Finance", "Operations", "HR", "Research"),
    "fi": ("Myynti", "Markkinointi", "Tietohallinto", "Talous", "Tuotanto", "Henkilöstö", "Tutkimus"),
    "sv": ("Försäljnings", "Marknads", "IT-", "Ekonomi", "Produktions", "Personal", "Forsknings"),
}
_FORMS: dict[str, tuple[tuple[str, ...], ...]] = {
    "en": (
        ("{} Intern", "Student, {}"),
        ("{} Specialist", "{} Coordinator"),
        ("{} Manager", "Manager, {}"),
        ("Head of {}", "{} Director"),
        ("VP {}", "Chief {} Officer"),
    ),
    "fi": (
        ("{}harjoittelija",),
        ("{}asiantuntija",),
        ("{}päällikkö",),
        ("{}johtaja",),
        ("{}johtaja, johtoryhmä",),
    ),
    "sv": (("{}praktikant",), ("{}specialist",), ("{}ansvarig",), ("{}chef",), ("{}direktör",)),
}
LANGUAGES = tuple(_FORMS)
FORMS = 2  # ways to write a title in each language; some write both the same


def title(language: str, seniority: int, function: int, form: int) -> str:
    """The title of a person; `form` from 0 to FORMS - 1."""
    forms = _FORMS[language][seniority]
    return forms[form % len(forms)].format(_STEMS[language][function])


@lru_cache(maxsize=1)
def meanings() -> dict[str, tuple[int, int]]:
    """Seniority and function of each title, case folded."""
    return {
        title(language, seniority, function, form).casefold(): (seniority, function)
        for language in LANGUAGES
        for seniority in range(len(SENIORITIES))
        for function in range(len(FUNCTIONS))
        for form in range(FORMS)
    }
