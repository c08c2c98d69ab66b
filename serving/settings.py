"""What the service is told by its environment: every field is `LEADSCORE_` and its name in capitals."""

from ipaddress import ip_address
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "LEADSCORE_"
DAY_S = 86_400


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

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False
