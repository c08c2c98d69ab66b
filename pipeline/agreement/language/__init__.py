"""The words of the shared definition, a file a language, with the same keys and the same places in each."""

from pipeline.agreement.language.english import ENGLISH
from pipeline.agreement.language.finnish import FINNISH
from pipeline.agreement.language.swedish import SWEDISH

PAGES: dict[str, dict[str, str]] = {"en": ENGLISH, "fi": FINNISH, "sv": SWEDISH}
