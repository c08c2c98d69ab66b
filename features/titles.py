"""Seniority and function of a job title, in English, Finnish and Swedish."""

import re
from functools import lru_cache

from features.vocabulary import FUNCTIONS, SENIORITIES

_SENIORITY = {
    "owner": r"owner|founder|cofounder|partner|proprietor|yrittäjä|omistaja|perustaja|osakas|ägare|grundare|delägare",
    "chief": r"chief|c[etfimos]o|cpo|cro|cdo|ciso|(?<!vice[ -])(?:president|managing director|"
    r"verkställande direktör|vd)|"
    r"md|toimitusjohtaja|pääjohtaja|\w+chef executive",
    "vp": r"[se]?vp|vice[ -](?:president|managing director|verkställande direktör|vd)|varatoimitusjohtaja",
    "director": r"director|head|\w*johtaja|\w*direktör|avdelningschef",
    "manager": r"manager|lead|leader|supervisor|principal|\w*päällikkö|\w*esimies|\w*vastaava|\w*chef|\w*ledare|"
    r"ansvarig|teamlead",
    "intern": r"intern|internship|trainee|student|apprentice|harjoittelija|opiskelija|praktikant|studerande|elev",
    "junior": r"junior|jr|assistant|assistent\w*|avustaja|apulainen|nuorempi",
    "specialist": r"specialist|analyst|engineer|developer|consultant|coordinator|expert|architect|administrator|"
    r"officer|associate|representative|scientist|designer|buyer|accountant|asiantuntija|suunnittelija|insinööri|"
    r"kehittäjä|konsultti|koordinaattori|analyytikko|\w*specialist|ingenjör|utvecklare|konsult|samordnare|"
    r"handläggare|analytiker|inköpare|ostaja",
}
_FUNCTION = {
    "it": r"it|information|ict|cio|ciso|cto|technology|infrastructure|security|systems?|data|tietohallinto\w*|tieto\w*|"
    r"teknologia\w*|tietoturva\w*|teknik\w*|it-\w+",
    "engineering": r"engineer\w*|develop\w*|software|devops|architect|r&d|kehit\w*|ohjelmisto\w*|insinööri|"
    r"tuotekehitys\w*|"
    r"utveckl\w*|ingenjör|teknisk|tekninen",
    "marketing": r"marketing|cmo|brand|growth|communications?|demand|content|markkinointi\w*|viestintä\w*|marknads\w*|"
    r"marknadsföring|kommunikations\w*",
    "sales": r"sales|account|business development|revenue|cro|commercial|myynti\w*|myyjä|asiakkuus\w*|"
    r"försäljning\w*|sälj\w*",
    "finance": r"finance|financial|cfo|controller|accounting|accountant|treasur\w*|talous\w*|taloushallinto\w*|"
    r"kirjanpitäjä|"
    r"ekonomi\w*|redovisning\w*",
    "hr": r"hr|human|people|talent|recruit\w*|henkilöstö\w*|rekry\w*|personal\w*",
    "operations": r"operations?|coo|logistics|supply|production|manufacturing|plant|tuotanto\w*|logistiikka\w*|"
    r"toiminta\w*|"
    r"drift\w*|produktion\w*|logistik\w*",
    "procurement": r"procurement|purchas\w*|buyer|sourcing|hankinta\w*|osto\w*|ostaja|inköp\w*",
    "legal": r"legal|counsel|lawyer|compliance|laki\w*|juristi|jurist|lakimies",
    "product": r"product|cpo|tuote\w*|produkt\w*",
    "support": r"support|service|customer|success|helpdesk|asiakaspalvelu\w*|tuki|kund\w*|kundtjänst",
    "education": r"teacher|professor|lecturer|student|researcher|opettaja|opiskelija|tutkija|lärare|forskare|"
    r"studerande",
    "health": r"doctor|nurse|physician|clinical|medical|lääkäri|hoitaja|läkare|sjuksköterska",
    "general": r"ceo|md|owner|founder|cofounder|general|toimitusjohtaja|yrittäjä|ägare|grundare|"
    r"(?<!vice[ -])(?:president|managing director|verkställande direktör|vd)",
}
_SENIORITY_WORDS = [(SENIORITIES.index(name), re.compile(rf"\b(?:{w})\b")) for name, w in _SENIORITY.items()]
_FUNCTION_WORDS = [(FUNCTIONS.index(name), re.compile(rf"\b(?:{w})\b")) for name, w in _FUNCTION.items()]


@lru_cache(maxsize=4096)
def read_title(title: str) -> tuple[float, float]:
    """Codes of a title in SENIORITIES and FUNCTIONS; NaN where it says nothing known.

    The earliest rule that fits decides the seniority (owner, chief, vp, director, manager, …), so that
    "assistant to the VP" is a VP's office; the earliest word in the text decides the function.
    """
    text = title.casefold()[:200]
    seniority = next((float(code) for code, words in _SENIORITY_WORDS if words.search(text)), float("nan"))
    found = [(m.start(), code) for code, words in _FUNCTION_WORDS if (m := words.search(text))]
    return seniority, float(min(found)[1]) if found else float("nan")
