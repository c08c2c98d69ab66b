"""The words of reasons, a file a language: data that models/explaining/reasons.py puts together.

Every language has the same keys and the same places for names and numbers; a test holds that.
"""

from typing import Literal

from models.explaining.words.english import ENGLISH
from models.explaining.words.finnish import FINNISH
from models.explaining.words.swedish import SWEDISH

Language = Literal["en", "fi", "sv"]
LANGUAGES: dict[str, dict[str, str]] = {"en": ENGLISH, "fi": FINNISH, "sv": SWEDISH}
