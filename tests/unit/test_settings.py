"""Settings: where they come from, and what is said about those that can't be."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hubbub.settings import SettingError, Settings, load


def refusal(environment: dict[str, str], given: dict[str, object] | None = None) -> str:
    """What is said about these settings."""
    with pytest.raises(SettingError) as error:
        load(environment, given)
    return str(error.value)


def test_with_nothing_given_every_setting_has_its_default() -> None:
    assert load({}, {}) == Settings()


def test_the_command_line_counts_before_the_environment_and_that_before_the_default() -> None:
    settings = load(
        {"HUBBUB_PORT": "9000", "HUBBUB_HOST": "::1"}, {"port": "9001", "host": None, "data": None}
    )
    assert (settings.port, settings.host, settings.data) == (9001, "::1", Path("data"))


def test_other_programs_variables_are_left_alone() -> None:
    assert load({"PATH": "/bin", "HOME": "/", "HUBBUBX": "1", "HUBBUB_BENCH": "1"}) == Settings()


def test_text_becomes_the_type_of_the_setting() -> None:
    settings = load(
        {
            "HUBBUB_PING_SECONDS": "0.5",
            "HUBBUB_LIMIT_LOGINS": "0",
            "HUBBUB_STATIC": "front",
            "HUBBUB_DATA": "/d",
        }
    )
    assert (settings.ping_seconds, settings.limit_logins, settings.static, settings.data) == (
        0.5,
        0,
        Path("front"),
        Path("/d"),
    )


def test_a_list_stands_in_the_environment_with_commas_between() -> None:
    settings = load(
        {"HUBBUB_ALLOW_ORIGIN": "https://a.example, http://b.example:81", "HUBBUB_TRUST_PROXY": "::1"}
    )
    assert settings.allow_origin == ("https://a.example", "http://b.example:81")
    assert settings.trust_proxy == ("::1",)


def test_an_unknown_setting_is_refused_and_the_nearest_named() -> None:
    assert refusal({"HUBBUB_PROT": "1"}) == (
        "There is no setting HUBBUB_PROT in the environment. Did you mean HUBBUB_PORT?"
    )
    assert "Did you mean tls_cert?" in refusal({}, {"tls_crt": "x"})
    assert "lists them all" in refusal({"HUBBUB_ZZZZZZZZ": "1"})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HUBBUB_PORT", "abc"),
        ("HUBBUB_PORT", "65536"),
        ("HUBBUB_PORT", "-1"),
        ("HUBBUB_PING_SECONDS", "0"),
        ("HUBBUB_LIMIT_MESSAGES", "-1"),
        ("HUBBUB_LOG_LEVEL", "loud"),
        ("HUBBUB_MAKE_ROOMS", "nobody"),
    ],
)
def test_a_value_that_can_not_be_is_refused_in_one_line_with_its_name(variable: str, value: str) -> None:
    said = refusal({variable: value})
    assert variable.removeprefix("HUBBUB_").lower() in said
    assert value in said
    assert "\n" not in said


def test_tls_needs_both_certificate_and_key() -> None:
    assert "--tls-cert and --tls-key" in refusal({"HUBBUB_TLS_CERT": "cert.pem"})
    assert load({"HUBBUB_TLS_CERT": "c", "HUBBUB_TLS_KEY": "k"}).tls
    assert not Settings().tls


@pytest.mark.parametrize(
    "origin", ["chat.example.org", "*", "https://a.example/", "https://a.example/x", "null"]
)
def test_an_allowed_origin_is_an_origin(origin: str) -> None:
    assert "https://chat.example.org" in refusal({}, {"allow_origin": [origin]})


def test_settings_do_not_change() -> None:
    with pytest.raises(AttributeError):
        Settings().port = 1  # type: ignore[misc]
    assert msgspec.structs.replace(Settings(), port=1).port == 1


def test_the_database_is_in_the_data_folder_unless_it_is_named(tmp_path: Path) -> None:
    assert Settings(data=tmp_path).database_url == f"sqlite:///{tmp_path / 'hubbub.db'}"
    assert Settings(database="postgresql://x").database_url == "postgresql://x"
