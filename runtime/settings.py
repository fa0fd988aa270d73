"""The desk's settings, read from the environment.

`DATABASE_URL` and Temporal's own `TEMPORAL_*` (or its profile file) name the servers; where one is
not named, the embedded server of that kind is meant. Everything else is `YINUO_*`.
"""

import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict
from temporalio.envconfig import ClientConfig, ClientConnectConfig

from domain.errors import SetupError
from runtime.scanner import Clamd

ROOT = Path(__file__).parent.parent
PREFIX = "YINUO_"
PORTS = ("http_port", "temporal_port", "temporal_ui_port")
"""The settings that name a port of a desk."""

Port = Annotated[int, Field(ge=1, le=65535)]
Slots = Annotated[int, Field(ge=1, le=1000)]
LARGEST_LETTER = 36 * 1024**2
"""Bytes: 25 MiB of photographs, which letters make a third more, and something to spare."""
_SECRETS = ("secret", "oidc_client_secret")
LogFormat = Literal["console", "json"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class Settings(BaseSettings):
    """Frozen; `load()` reads it from the environment."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, populate_by_name=True
    )

    database_url: str | None = Field(default=None, validation_alias="DATABASE_URL", repr=False)
    """`postgresql://…`; None means the embedded server."""
    migration_url: SecretStr | None = None
    """The same database for `yinuo migrate` and `yinuo up`, as a role that owns the tables; None:
    `database_url`, whose role then owns the audit trail too. No child process gets it.
    """
    home: Path = Path(".yinuo")
    """Where the embedded servers keep their data and logs."""
    policy: Path = ROOT / "policies" / "standard.toml"
    zone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    """The desk's zone: working hours and everything a person reads."""
    durable: bool = True
    """Whether the embedded servers wait for the disk; a demonstration's need not."""
    temporal_port: Port = 7233
    temporal_ui_port: Port = 8233

    http_host: str = "127.0.0.1"
    """Where the doors listen; behind a reverse proxy that speaks TLS, anything else."""
    http_port: Port = 8080
    public_url: str | None = None
    """How people reach the doors: what links in messages begin with; None: host and port."""
    trusted_proxies: str = ""
    """Whose word on the caller's address counts (`X-Forwarded-For`): addresses or networks of
    reverse proxies, comma-separated. Empty: nobody's.
    """
    secret: SecretStr | None = None
    """Signs links and cookies; None: one made and kept in `home`. Machines that share a desk share
    it.
    """
    doors: bool = True
    """Whether `yinuo up` brings up the doors."""
    calls_per_minute: Annotated[int, Field(ge=1)] = 6000
    """What one token may ask for: an intake system's storm, and more than one worker can register.
    People's sessions may ask for a tenth of it, whoever has neither for a fiftieth.
    """
    body_limit: Annotated[int, Field(ge=1024)] = 256 * 1024
    """Bytes of a request's body."""
    attachments: str | None = None
    """Where photographs and files are kept: `s3://bucket/folder`, at any S3 that the `AWS_*`
    variables name; None: in a folder of `home`.
    """
    scanner: str | None = None
    """A malware scanner that is shown what is attached: `tcp://HOST:PORT` or `unix:///PATH`, as
    ClamAV's daemon listens; None: nobody looks for malware.
    """
    largest_letter: Annotated[int, Field(ge=64 * 1024, le=100 * 1024**2)] = LARGEST_LETTER
    """Bytes of a letter that comes in, with all that it brings."""
    inbound: Path | None = None
    """Folder of the mapping files of webhooks and mailboxes; None: there are none."""
    oidc_issuer: str | None = None
    """The company's OpenID Connect provider, for people who sign in; None: tokens only."""
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_person_claim: str = "preferred_username"
    """Which claim holds somebody's id on the roster."""
    log_format: LogFormat = "console"
    log_level: Annotated[LogLevel, BeforeValidator(_upper)] = "INFO"

    workers: Annotated[int, Field(ge=0, le=64)] = 1
    """Worker processes that `yinuo up` keeps; one uses one core."""
    workflow_slots: Slots = 100
    activity_slots: Slots = 20
    local_activity_slots: Slots = 20
    notification_slots: Slots = 20
    max_cached_workflows: Annotated[int, Field(ge=0)] = 1000
    graceful_shutdown: timedelta = timedelta(seconds=10)
    """How long a stopping worker lets its activities finish; `YINUO_GRACEFUL_SHUTDOWN=PT10S`."""

    @field_validator("database_url", "migration_url")
    @classmethod
    def _postgresql_only(cls, value: str | SecretStr | None) -> str | SecretStr | None:
        address = value.get_secret_value() if isinstance(value, SecretStr) else value
        if address is not None and not address.startswith(("postgresql://", "postgres://")):
            raise ValueError("must be a postgresql:// address, PostgreSQL is the only database")
        return value

    @field_validator("attachments")
    @classmethod
    def _a_bucket(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]+(/[\w.-]+)*/?", value):
            raise ValueError("must be an s3://bucket or s3://bucket/folder address")
        return value.rstrip("/") if value else None

    @field_validator("scanner")
    @classmethod
    def _a_scanner(cls, value: str | None) -> str | None:
        if value is not None:
            Clamd.at(value)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        return ",".join(str(each) for each in _networks_of(value))

    @field_validator("home", "policy", "inbound")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        # Worker processes get the settings through their environment, wherever they run.
        return value.expanduser().resolve() if value else None

    @field_validator("public_url")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must be an http:// or https:// address")
        return value.rstrip("/") if value else None

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of ``trusted_proxies``."""
        return _networks_of(self.trusted_proxies)

    @property
    def base_url(self) -> str:
        """What the links in messages begin with, without a slash at the end."""
        return self.public_url or f"http://{self.http_host}:{self.http_port}"

    @property
    def pool_size(self) -> int:
        """Connections of one worker process: never fewer than activities that run at once."""
        return self.activity_slots + self.local_activity_slots + self.notification_slots

    def environment(self) -> dict[str, str]:
        """The same settings as environment variables, for a child process."""
        unsaid = {"database_url", "migration_url", *_SECRETS}
        written: dict[str, Any] = self.model_dump(mode="json", exclude=unsaid)
        written |= {
            name: value.get_secret_value() for name in _SECRETS if (value := getattr(self, name))
        }
        variables = {
            PREFIX + name.upper(): str(value)
            for name, value in written.items()
            if value is not None
        }
        if self.database_url is not None:
            variables["DATABASE_URL"] = self.database_url
        return variables


def _networks_of(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())
    except ValueError as error:
        raise ValueError(
            f"{error}: name the addresses or networks of your proxies, such as "
            "10.0.0.5 or 10.0.1.0/24, comma-separated"
        ) from None


def load() -> Settings:
    """Settings from the environment.

    Raises:
        SetupError: a variable's value is wrong; the message names the variable.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SetupError("; ".join(_sentence(each) for each in error.errors())) from None


def _sentence(error: ErrorDetails) -> str:
    name = str(error["loc"][0])
    if name in {"DATABASE_URL", "database_url"}:  # its value may hold a password
        return f"DATABASE_URL: {error['msg']}"
    found = "" if name in {"migration_url", *_SECRETS} else f" (it is {error['input']!r})"
    return f"{PREFIX}{name.upper()}: {error['msg']}{found}"


def given_temporal() -> ClientConnectConfig:
    """What `TEMPORAL_*` and the profile file say; no `target_host` means the embedded server.

    Raises:
        SetupError: they cannot be read.
    """
    try:
        return ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError, OSError) as error:
        raise SetupError(f"TEMPORAL_* or the Temporal profile file: {error}") from error
