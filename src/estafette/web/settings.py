"""How people sign in at one actor: the file `sign-in.yaml` of its folder, and defaults for the rest.

second_factor: [administrator, operator]    # roles that need one; none by default
openid:                                     # people may also sign in at a provider; off by default
  issuer: https://identity.example
  client_id: estafette
  client_secret: "…"
  desk: https://platform.example            # where people reach the desk: the provider sends them back there
"""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import yaml

from estafette.store.roles import ROLES

Address = Annotated[str, msgspec.Meta(pattern=r"^https?://[^/?#\s]+[^?#\s]*$", max_length=300)]


class OpenId(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A provider of OpenID Connect. `gives_second_factor`: it asks for one itself, the desk then does not.

    `algorithms`: with which an identity token may be signed (RFC 7518 §3.1); one signed otherwise is refused.
    """

    issuer: Address
    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    client_secret: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    desk: Address
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)] = "OpenID Connect"
    gives_second_factor: bool = False
    algorithms: tuple[str, ...] = ("RS256", "ES256")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How people sign in at one actor."""

    second_factor: tuple[str, ...] = ()
    openid: OpenId | None = None


class WrongSettings(OSError):
    """The file is there and cannot be used: nothing is guessed."""


def settings_of(folder: Path) -> Settings:
    """Return the settings kept in this actor's folder. Raises: WrongSettings."""
    file = folder / "sign-in.yaml"
    if not file.exists():
        return Settings()
    try:
        read: Any = yaml.safe_load(file.read_text())
        settings = msgspec.convert({} if read is None else read, Settings)
    except (OSError, ValueError, yaml.YAMLError) as wrong:
        raise WrongSettings(f"{file.name}: {' '.join(str(wrong).split())}") from None
    unknown = [role for role in settings.second_factor if role not in ROLES]
    unsafe = [name for name in (settings.openid.algorithms if settings.openid else ()) if name not in ALGORITHMS]
    if unknown or unsafe:
        raise WrongSettings(f"{file.name}: {', '.join([*unknown, *unsafe])}?")
    return settings


ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Those by which a provider proves itself with its own key: never `none`, nor with a secret that others share."""
