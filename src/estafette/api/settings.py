"""How much a platform's API allows: the file `api.yaml` of its folder, where there is one, and defaults for the rest.

requests_per_minute: 6000
webhooks_to_private_addresses: true     # a test network, never the Internet
"""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml

Count = Annotated[int, msgspec.Meta(ge=1, le=100_000_000)]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limits of one platform's API.

    `requests_per_minute`, of which `requests_at_once`: by client. `tokens_per_minute`: tokens granted to a client, one
    lasts an hour. `webhooks_max`: by client (403 past it). `webhook_failures_max`: deliveries that fail in a row before
    a webhook is disabled; with the back-off of jobs, 20 are about eight hours.
    """

    requests_per_minute: Count = 60_000
    requests_at_once: Count = 5_000
    tokens_per_minute: Count = 120
    webhooks_max: Count = 50
    webhook_failures_max: Count = 20
    webhooks_to_private_addresses: bool = False


class WrongSettings(OSError):
    """The file is there and cannot be used: nothing is guessed."""


def settings_of(folder: Path) -> Settings:
    """Return the settings kept in this actor's folder. Raises: WrongSettings."""
    file = folder / "api.yaml"
    if not file.exists():
        return Settings()
    try:
        read: Any = yaml.safe_load(file.read_text())
        return msgspec.convert({} if read is None else read, Settings)
    except (OSError, ValueError, yaml.YAMLError) as wrong:
        raise WrongSettings(f"{file.name}: {' '.join(str(wrong).split())}") from None
