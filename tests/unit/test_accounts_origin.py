"""Whose page a request comes from, and from which address, whatever its headers claim."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hubbub.origin import (
    Proxies,
    client_address,
    limit_key,
    normal_origin,
    origin_allowed,
    own_origin,
    own_scheme,
)
from hubbub.settings import SettingError


class Headers:
    """Headers, some of them more than once."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self._pairs = pairs

    def __call__(self, name: str) -> Sequence[str]:
        """All values of this one."""
        return [value for key, value in self._pairs if key == name]


def allowed(*pairs: tuple[str, str], scheme: str = "http", others: tuple[str, ...] = ()) -> bool:
    """Whether a request to localhost:8082 with these headers is let through."""
    host = () if any(key == "host" for key, _ in pairs) else (("host", "localhost:8082"),)
    return origin_allowed(Headers(*host, *pairs), scheme, others)


def test_the_servers_own_origin_is_allowed() -> None:
    assert allowed(("origin", "http://localhost:8082"))


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.test",
        "http://localhost:8082.evil.test",
        "http://localhost:80820",
        "http://localhost",
        "http://evil.localhost:8082",
        "http://localhost:8082/",
        "http://localhost:8082@evil.test",
        "http://user@localhost:8082",
        "null",
        "",
        "*",
        "file://",
        "localhost:8082",
        "http://localhost:8082, http://evil.test",
        "chrome-extension://localhost:8082",
        "http://localhost:8082\n",
    ],
)
def test_any_other_origin_is_refused(origin: str) -> None:
    assert not allowed(("origin", origin))


def test_two_origins_are_refused_even_if_each_were_allowed() -> None:
    assert not allowed(("origin", "http://localhost:8082"), ("origin", "http://localhost:8082"))


def test_two_hosts_or_none_are_nobodys_own_origin() -> None:
    assert not allowed(("origin", "http://a.test"), ("host", "a.test"), ("host", "b.test"))
    assert not origin_allowed(Headers(("origin", "http://a.test")), "http")


def test_origins_named_in_the_settings_are_allowed_and_others_still_are_not() -> None:
    others = ("https://Chat.Example.org", "http://app.test:3000")
    assert allowed(("origin", "https://chat.example.org"), others=others)
    assert allowed(("origin", "https://chat.example.org:443"), others=others)
    assert allowed(("origin", "http://app.test:3000"), others=others)
    assert not allowed(("origin", "http://chat.example.org"), others=others)
    assert not allowed(("origin", "http://app.test"), others=others)


def test_default_ports_may_be_left_out_on_either_side() -> None:
    assert allowed(("origin", "http://a.test"), ("host", "a.test:80"))
    assert allowed(("origin", "https://a.test"), ("host", "a.test:443"), scheme="https")
    assert not allowed(("origin", "http://a.test"), ("host", "a.test:443"))


def test_reached_by_https_a_page_of_plain_http_is_refused_on_the_same_host() -> None:
    assert not allowed(("origin", "http://a.test"), ("host", "a.test"), scheme="https")


def test_behind_a_proxy_that_ends_tls_untold_the_https_page_is_our_own() -> None:
    assert allowed(("origin", "https://a.test"), ("host", "a.test"), scheme="http")


@pytest.mark.parametrize(
    ("site", "let_through"),
    [("same-origin", True), ("none", True), ("cross-site", False), ("same-site", False)],
)
def test_without_an_origin_the_browsers_word_on_the_site_counts(site: str, let_through: bool) -> None:
    assert allowed(("sec-fetch-site", site)) is let_through


def test_a_program_that_names_no_page_is_let_through() -> None:
    assert allowed()


def test_ipv6_hosts_are_origins_too() -> None:
    assert allowed(("origin", "http://[::1]:8082"), ("host", "[::1]:8082"))
    assert normal_origin("http://[::1]:80") == "http://[::1]"


def test_without_a_trusted_proxy_no_header_changes_the_address() -> None:
    spoof = Headers(("x-forwarded-for", "9.9.9.9"))
    assert client_address(spoof, "192.0.2.1", Proxies()) == "192.0.2.1"
    assert client_address(spoof, "192.0.2.1", Proxies(["192.0.2.2"])) == "192.0.2.1"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (["198.51.100.7"], "198.51.100.7"),
        (["9.9.9.9, 198.51.100.7"], "198.51.100.7"),
        (["9.9.9.9", "198.51.100.7, 10.0.0.2"], "198.51.100.7"),
        (["198.51.100.7:4711"], "198.51.100.7"),
        (["[2001:db8::1]:4711"], "2001:db8::1"),
        (["2001:DB8::1"], "2001:db8::1"),
        (["::ffff:198.51.100.7"], "198.51.100.7"),
        (["garbage"], "10.0.0.1"),
        (["9.9.9.9, garbage, 10.0.0.2"], "10.0.0.2"),
        ([""], "10.0.0.1"),
        ([], "10.0.0.1"),
        (["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
    ],
)
def test_behind_a_trusted_proxy_the_last_untrusted_address_counts(forwarded: list[str], address: str) -> None:
    headers = Headers(*(("x-forwarded-for", value) for value in forwarded))
    assert client_address(headers, "10.0.0.1", Proxies(["10.0.0.0/8"])) == address


def test_an_address_that_came_in_over_ipv6_is_the_ipv4_one_it_maps() -> None:
    assert client_address(Headers(), "::ffff:192.0.2.1", Proxies()) == "192.0.2.1"
    assert "::ffff:192.0.2.1" in Proxies(["192.0.2.1"])


def test_a_limit_counts_an_ipv6_customer_as_one() -> None:
    assert limit_key("2001:db8:1:2:3::4") == limit_key("2001:db8:1:2:ffff::9")
    assert limit_key("2001:db8:1:3::4") != limit_key("2001:db8:1:2::4")
    assert limit_key("192.0.2.1") == "192.0.2.1"
    assert limit_key("") == ""


def test_what_is_no_address_can_not_be_trusted() -> None:
    for text in ("proxy.example", "*", "", "10.0.0.0/99"):
        with pytest.raises(SettingError, match=r"10\.0\.0\.0/8"):
            Proxies([text])


def test_only_a_trusted_proxy_can_say_that_the_client_used_https() -> None:
    said = Headers(("x-forwarded-proto", "https"))
    proxies = Proxies(["10.0.0.1"])
    assert own_scheme(said, "10.0.0.1", proxies, tls=False) == "https"
    assert own_scheme(said, "10.0.0.2", proxies, tls=False) == "http"
    assert own_scheme(Headers(("x-forwarded-proto", "https, http")), "10.0.0.1", proxies, tls=False) == "http"
    assert own_scheme(Headers(), "10.0.0.2", proxies, tls=True) == "https"


def test_our_own_origin_is_what_the_client_asked_for() -> None:
    assert own_origin(Headers(("host", "Chat.Example.org")), "https") == "https://chat.example.org"
    assert own_origin(Headers(("host", "a.test:8082")), "http") == "http://a.test:8082"
    assert own_origin(Headers(("host", "a.test/evil")), "http") is None
    assert own_origin(Headers(), "http") is None
