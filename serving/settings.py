"""What the service is told by its environment: every field is `LEADSCORE_` and its name in capitals."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "LEADSCORE_"
DAY_S = 86_400
LINK = "tcp://"
"""With this begins what Kubernetes sets LEADSCORE_PORT to in every pod beside a Service that is called leadscore."""
OTHERS = re.compile(rf"{PREFIX}(ID_KEY|(.*_)?(SERVICE_HOST|SERVICE_PORT.*|PORT_\d+_(TCP|UDP|SCTP).*))")
"""Names that are not for the service: the pipeline's key, and what Kubernetes sets for Services called so or alike."""


class Settings(BaseSettings):
    """Frozen, and typed: a variable that cannot be read stops the start and is named. An empty one is not set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore")

    bundle: Path = Field(Path("artifacts/bundle"), description="Folder of the model to serve.")
    host: str = Field("127.0.0.1", description="Address to listen on; others than loopback need an API key.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: int = Field(1, ge=1, le=64, description="Processes that answer.")
    keys: Path = Field(Path("secrets/keys.json"), description="File of API keys (only their SHA-256).")
    max_body: int = Field(1 << 20, ge=1, description="Bytes of a request for one lead.")
    max_batch_body: int = Field(8 << 20, ge=1, description="Bytes of a batch.")
    max_batch: int = Field(1000, ge=1, description="Leads of a batch.")
    max_events: int = Field(5000, ge=1, description="Rows of any list of one lead.")
    max_colleagues: int = Field(500, ge=1, description="Other leads of the account.")
    max_depth: int = Field(12, ge=1, le=100, description="Depth of the JSON.")
    capacity: int = Field(64, ge=1, description="Requests for one lead that may wait; beyond it 429 at once.")
    batch_capacity: int = Field(2, ge=1, description="Batches that may wait or run; beyond it 429 at once.")
    max_connections: int = Field(1000, ge=1, description="Open connections of a worker; beyond it they are closed.")
    keep_s: float = Field(
        75, gt=0, le=DAY_S, description="Seconds that a connection is kept without a request; longer than a proxy's."
    )
    timeout_s: float = Field(10, gt=0, le=DAY_S, description="Seconds within which a request is answered, or 503.")
    read_timeout_s: float = Field(
        10, gt=0, le=DAY_S, description="Seconds within which a client has sent its request, or taken its answer."
    )
    drain_s: float = Field(
        1, ge=0, le=DAY_S, description="Seconds that go on after SIGTERM, while clients are sent away."
    )

    @field_validator("port", mode="before")
    @classmethod
    def _passes_links_over(cls, value: object) -> object:
        return cls.model_fields["port"].default if str(value).startswith(LINK) else value

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def not_heeded(environment: Mapping[str, str]) -> list[str]:
    """Variables that look like settings and change nothing, a line each."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    ours = {name.upper(): value for name, value in environment.items() if name.upper().startswith(PREFIX)}
    lines = []
    for name in sorted(ours.keys() - known):
        if not (OTHERS.fullmatch(name) or ours[name].startswith(LINK)):
            near = get_close_matches(name, known, 1)
            lines.append(f"{name}: not heeded, no setting is called so" + (f"; {near[0]} is" if near else ""))
    if ours.get(f"{PREFIX}PORT", "").startswith(LINK):
        lines.append(f"{PREFIX}PORT: not heeded, Kubernetes set it for a Service called leadscore")
    return lines
