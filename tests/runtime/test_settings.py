from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from domain.errors import SetupError
from runtime.embedded.servers import database_url, migration_url
from runtime.settings import Settings, given_temporal, load


def test_without_any_variable_the_embedded_servers_are_meant() -> None:
    settings = load()
    assert settings.database_url is None
    assert "target_host" not in given_temporal()
    assert database_url(settings).endswith(f"host={Path('.yinuo/sockets').resolve()}&port=5432")


def test_a_given_database_is_used_instead_of_the_embedded_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://desk@db.example/yinuo")
    assert database_url(load()) == "postgresql://desk@db.example/yinuo"


def test_a_given_temporal_is_read_from_its_own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example:7233")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "desk")
    given = given_temporal()
    assert (given["target_host"], given["namespace"]) == ("temporal.example:7233", "desk")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("YINUO_ZONE", "Asia/Atlantis"),
        ("YINUO_TEMPORAL_PORT", "70000"),
        ("YINUO_LOG_LEVEL", "LOUD"),
        ("YINUO_WORKERS", "-1"),
        ("DATABASE_URL", "mysql://desk@db.example/yinuo"),
    ],
)
def test_a_wrong_value_is_refused_naming_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SetupError, match=f"^{variable}: "):
        load()


def test_a_database_password_is_not_shown_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://desk:geheim@db.example/yinuo")
    with pytest.raises(SetupError) as refusal:
        load()
    assert "geheim" not in str(refusal.value)


def test_settings_survive_the_way_through_a_childs_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = Settings(
        database_url="postgresql://desk@db.example/yinuo",
        home=tmp_path,
        policy=tmp_path / "policy.toml",
        zone=ZoneInfo("Asia/Urumqi"),
        temporal_port=17233,
        log_format="json",
        workers=3,
    )
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert load() == settings


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load().workers = 2  # type: ignore[misc]


def test_the_pool_of_a_worker_is_as_large_as_its_activity_slots() -> None:
    settings = Settings(activity_slots=3, local_activity_slots=4, notification_slots=5)
    assert settings.pool_size == 12


def test_the_role_for_migrations_is_the_owner_and_no_childs_business(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "yinuo_owner@/yinuo" in migration_url(load())
    assert "//yinuo@/yinuo" in database_url(load())
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:one@db.example/desk")
    assert migration_url(load()) == "postgresql://app:one@db.example/desk"
    monkeypatch.setenv("YINUO_MIGRATION_URL", "postgresql://owner:two@db.example/desk")
    assert migration_url(load()) == "postgresql://owner:two@db.example/desk"
    assert database_url(load()) == "postgresql://app:one@db.example/desk"
    assert "two" not in f"{load()!r} {load().environment()}"
    monkeypatch.setenv("YINUO_MIGRATION_URL", "mysql://owner:two@db.example/desk")
    with pytest.raises(SetupError, match=r"^YINUO_MIGRATION_URL: .*postgresql://") as told:
        load()
    assert "two" not in str(told.value)
