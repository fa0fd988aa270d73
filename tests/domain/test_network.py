"""Which addresses are inside, in all their spellings."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from pydantic import TypeAdapter, ValidationError

from domain.network import Network, is_inside, may_be_reached

INSIDE = [
    *("127.0.0.1", "127.8.9.1", "0.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "198.18.0.1"),
    *("192.0.2.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("168.63.129.16", "192.88.99.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1"),
    *("fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "::ffff:10.0.0.1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1", "2002:0a00:0001::1"),
    *("2002:7f00:0001::", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
    *("2001::1", "100::1", "3fff::1" if ip_address("3fff::1").is_private else "100::2"),
]
OUTSIDE = [
    *("1.1.1.1", "8.8.8.8", "223.5.5.5", "172.32.0.1", "100.128.0.1", "168.63.129.17"),
    *("2606:4700::1111", "2400:3200::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"),
    "2002:0808:0808::1",
]
ALLOWED = [ip_network("10.1.0.0/16"), ip_network("fd12::/16")]


@pytest.mark.parametrize("address", INSIDE)
def test_it_is_inside(address: str) -> None:
    assert is_inside(ip_address(address))
    assert not may_be_reached(ip_address(address), [], in_clear=False)


@pytest.mark.parametrize("address", OUTSIDE)
def test_it_is_outside(address: str) -> None:
    assert not is_inside(ip_address(address))
    assert may_be_reached(ip_address(address), [], in_clear=False)
    assert not may_be_reached(ip_address(address), ALLOWED, in_clear=True)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "fd12::7"])
def test_what_is_allowed_inside_may_be_reached_in_clear_as_well(address: str) -> None:
    assert may_be_reached(ip_address(address), ALLOWED, in_clear=False)
    assert may_be_reached(ip_address(address), ALLOWED, in_clear=True)


@pytest.mark.parametrize("address", ["10.2.2.3", "127.0.0.1", "::ffff:10.2.0.1", "fd13::7"])
def test_what_is_beside_it_may_not(address: str) -> None:
    assert not may_be_reached(ip_address(address), ALLOWED, in_clear=False)


@pytest.mark.parametrize("written", ["10.1.0.1/16", "everywhere", "10.0.0.0/33", ""])
def test_what_is_no_network_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValidationError, match=r"10\.1\.0\.0/16"):
        TypeAdapter(Network).validate_python(written)
