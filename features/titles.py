"""Seniority and function of a job title, in English, Finnish, Swedish and German."""

import re
from functools import lru_cache
from unicodedata import normalize

from features.vocabulary import FUNCTIONS, SENIORITIES

_HELPS = re.compile(
    r"\b(?:(?:assistant|secretary|assistent\w*|avustaja|sihteeri|sekreterare) (?:to|of|till|åt|för|der|des)\b|"
    r"(?:executive|personal|management|office) (?:assistant|secretary)|johdon (?:assistentti|sihteeri)|"
    r"vd-(?:assistent|sekreterare)|\w+assistent(?:in)?|"
    r"assistenz|sekretariat)"
)
"""Who works for a person of the level that the rest of the title names."""
# A product has an owner and a department a business partner: neither owns the company.
_OF_A_THING = ("product", "process", "data", "service", "system", "platform", "application", "solution", "project",
               "risk", "account", "asset", "content", "technical", "domain", "feature", "scrum", "budget")  # fmt: skip
_OWNER = "".join(f"(?<!{thing}[ -])" for thing in _OF_A_THING) + "owner"
_PARTNER = (
    r"(?:(?<=^)|(?<=[,/&+|] )|(?<=[,/&+|])|(?<=and )|(?:managing|senior|equity|founding|general|tax|audit|law|junior) )"
    r"partner(?! (?!at|of|in|and|for)\w)"
)
_SENIORITY = {
    "owner": rf"{_OWNER}|{_PARTNER}|founder|cofounder|proprietor|yrittäjä|omistaja|perustaja|osakas|ägare|grundare|"
    r"delägare|inhaber(?:in)?|gründer(?:in)?|gesellschafter(?:in)?",
    "chief": r"chief|c[etfimos]o|cpo|cro|cdo|ciso|(?<!vice[ -])(?:president|managing director|"
    r"verkställande direktör|vd)|"
    r"md|toimitusjohtaja|pääjohtaja|geschäftsführer(?:in)?|geschäftsführung|vorstand\w*",
    "vp": r"[se]?vp|vice[ -](?:president|managing director|verkställande direktör|vd)|varatoimitusjohtaja",
    "director": r"director|head|\w*johtaja|\w*direktör|avdelningschef|(?!team|gruppen|projekt)\w*leiter(?:in)?|"
    r"(?!team|gruppen|projekt)\w*leitung|prokurist(?:in)?",
    "manager": r"manager|lead(?! gen)|leader|supervisor|principal(?! \w)|teamlead|\w*päällikkö|\w*esimies|\w*vastaava|"
    r"\w*chef|\w*ledare|ansvarig|(?:team|gruppen|projekt)leiter(?:in)?|teamleitung",
    "intern": r"intern|internship|trainee|student|apprentice|harjoittelija|opiskelija|praktikant|studerande|elev|"
    r"praktikantin|werkstudent(?:in)?|auszubildender?|azubi",
    "junior": r"junior|jr|assistant|\w*assistent\w*|avustaja|apulainen|nuorempi",
    "specialist": r"specialist|analyst|engineer|developer|consultant|coordinator|expert|architect|administrator|"
    r"officer|associate|representative|scientist|designer|buyer|accountant|owner|business partner|"
    r"\w*(?:asiantuntija|suunnittelija|insinööri|kehittäjä|konsultti|koordinaattori|analyytikko|ostaja|myyjä|"
    r"specialist|ingenjör|utvecklare|konsult|samordnare|handläggare|analytiker|inköpare|säljare)|"
    r"\w*(?:referent|sachbearbeiter|mitarbeiter|entwickler|ingenieur|berater|einkäufer|verkäufer|buchhalter)(?:in)?",
}
_FUNCTION = {
    "it": r"it|information|ict|cio|ciso|cto|technology|infrastructure|security|systems?|data|tietohallinto\w*|tieto\w*|"
    r"teknologia\w*|tietoturva\w*|teknik\w*|it-\w+|edv\w*",
    "engineering": r"engineer\w*|develop\w*|software|devops|architect|r&d|kehit\w*|ohjelmisto\w*|insinööri|"
    r"tuotekehitys\w*|"
    r"utveckl\w*|ingenjör|teknisk|tekninen|\w*entwickl\w*|\w*ingenieur(?:in)?|technische[rn]?",
    "marketing": r"marketing|cmo|brand|growth|lead gen\w*|communications?|demand|content|markkinointi\w*|viestintä\w*|"
    r"marknads\w*|marknadsföring|kommunikations\w*",
    "sales": r"sales|account|business development|revenue|cro|commercial|myynti\w*|myyjä|asiakkuus\w*|"
    r"försäljning\w*|sälj\w*|vertrieb\w*|verkauf\w*|verkäufer(?:in)?",
    "finance": r"finance|financial|cfo|controller|accounting|accountant|treasur\w*|talous\w*|taloushallinto\w*|"
    r"kirjanpitäjä|"
    r"ekonomi\w*|redovisning\w*|finanz\w*|buchhalt\w*|rechnungswesen",
    "hr": r"hr|human|people|talent|recruit\w*|henkilöstö\w*|rekry\w*|personal(?:\w+|$)",
    "operations": r"operations?|coo|logistics|supply|production|manufacturing|plant|tuotanto\w*|logistiikka\w*|"
    r"toiminta\w*|"
    r"drift\w*|produktion\w*|logistik\w*|fertigung\w*",
    "procurement": r"procurement|purchas\w*|buyer|sourcing|hankinta\w*|osto\w*|ostaja|inköp\w*|"
    r"einkauf\w*|einkäufer(?:in)?",
    "legal": r"legal|counsel|lawyer|compliance|laki\w*|juristi|jurist(?:in)?|lakimies|rechts\w*|syndikus",
    "product": r"product|cpo|tuote\w*|produkt\w*",
    "support": r"support|service|customer|success|helpdesk|asiakaspalvelu\w*|tuki|kund\w*|kundtjänst",
    "education": r"teacher|professor|lecturer|student|researcher|opettaja|opiskelija|tutkija|lärare|forskare|"
    r"studerande",
    "health": r"doctor|nurse|physician|clinical|medical|lääkäri|hoitaja|läkare|sjuksköterska",
    "general": rf"ceo|md|{_OWNER}|founder|cofounder|general|toimitusjohtaja|yrittäjä|ägare|grundare|"
    r"inhaber(?:in)?|gründer(?:in)?|geschäftsführer(?:in)?|geschäftsführung|"
    r"(?<!vice[ -])(?:president|managing director|verkställande direktör|vd)",
}
_SENIORITY_WORDS = [(SENIORITIES.index(name), re.compile(rf"\b(?:{w})\b")) for name, w in _SENIORITY.items()]
_FUNCTION_WORDS = [(FUNCTIONS.index(name), re.compile(rf"\b(?:{w})\b")) for name, w in _FUNCTION.items()]


@lru_cache(maxsize=4096)
def read_title(title: str) -> tuple[float, float]:
    """Codes of a title in SENIORITIES and FUNCTIONS; NaN where it says nothing known.

    The first rule that fits decides the seniority: who assists someone is junior, else owner, chief, vp, director, …
    The earliest word in the text decides the function. How letters are encoded does not matter (NFKC).
    """
    text = " ".join(normalize("NFKC", title[:200]).casefold().split())
    found = [(m.start(), code) for code, words in _FUNCTION_WORDS if (m := words.search(text))]
    return _seniority(text), float(min(found)[1]) if found else float("nan")


def _seniority(text: str) -> float:
    if _HELPS.search(text):
        return float(SENIORITIES.index("junior"))
    return next((float(code) for code, words in _SENIORITY_WORDS if words.search(text)), float("nan"))
