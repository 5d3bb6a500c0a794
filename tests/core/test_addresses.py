"""Hosts in every spelling, and which addresses are open to anybody."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyeline.core.addresses import is_private, is_public, read_host

PUBLIC = [
    "93.184.216.34", "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255",
    "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "172.15.255.255",
    "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
    "223.255.255.255", "2606:2800:220:1:248:1893:25c8:1946", "2a00:1450:4001:80e::200e",
    "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808", "2a00::5efe:808:808",
]  # fmt: skip
INSIDE = [
    "0.0.0.0", "0.255.255.255", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200",
    "100.127.255.255", "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.0.1",
    "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1",
    "64:ff9b:1::7f00:1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::",
    "2a00::5efe:7f00:1", "2a00::200:5efe:a9fe:a9fe", "3fff::1", "5f00::1", "fc00::1",
    "fd00:ec2::254", "fd20:ce::254", "fe80::1", "fe80::1%eth0", "fe80::5efe:8.8.8.8", "fec0::1",
    "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_open_to_anybody(address: str) -> None:
    """Addresses of the open internet are public up to the borders of what is reserved."""
    assert is_public(address)


@pytest.mark.parametrize("address", INSIDE)
def test_what_lies_inside(address: str) -> None:
    """Nothing private, reserved, documented, tunnelled or of a cloud's own services is public."""
    assert not is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_in_any_dress(address: Any) -> None:
    """An IPv4 address carried in IPv6 is as public as it is bare."""
    expected = is_public(str(address))
    assert is_public(f"::ffff:{address}") == expected
    assert is_public(f"64:ff9b::{address}") == expected
    assert is_public(f"2a00::5efe:{address}") == expected


@given(st.ip_addresses(v=6))
def test_python_agrees_on_what_is_reserved(address: Any) -> None:
    """What Python's own table calls private is not public here, but for what is looked through."""
    if is_public(str(address)):
        assert address.is_global or address.ipv4_mapped


SPELT = [
    ("example.org", "example.org"),
    ("EXAMPLE.Org.", "example.org"),
    ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ("bücher.example", "xn--bcher-kva.example"),
    ("my_bucket.example", "my_bucket.example"),
    ("localhost", "localhost"),
    ("ⓛocalhost", "localhost"),
    ("127.0.0.1", "127.0.0.1"),
    ("127.0.0.1.", "127.0.0.1"),
    ("127.1", "127.0.0.1"),
    ("127.0.1", "127.0.0.1"),
    ("2130706433", "127.0.0.1"),
    ("0x7f000001", "127.0.0.1"),
    ("0X7F.1", "127.0.0.1"),
    ("0x7f.0.0.0x1", "127.0.0.1"),
    ("0177.0.0.1", "127.0.0.1"),
    ("0000177.0.0.01", "127.0.0.1"),
    ("017700000001", "127.0.0.1"),
    ("0xa9.0376.43518", "169.254.169.254"),
    ("0", "0.0.0.0"),
    ("0x", "0.0.0.0"),
    ("010.8.8.8", "8.8.8.8"),
    ("4294967295", "255.255.255.255"),
    ("１２７.０.０.１", "127.0.0.1"),
    ("127。0。0。1", "127.0.0.1"),
    ("127｡0．0｡1", "127.0.0.1"),
    ("①②⑦.⓪.⓪.①", "127.0.0.1"),
    ("::1", "::1"),
    ("0:0:0:0:0:0:0:1", "::1"),
    ("::FFFF:7F00:1", "::ffff:127.0.0.1"),
    ("::ffff:127.0.0.1", "::ffff:127.0.0.1"),
]


@pytest.mark.parametrize(("host", "expected"), SPELT)
def test_one_spelling(host: str, expected: str) -> None:
    """However a host is written, it is read as one name or one address, as systems read it."""
    from ipaddress import ip_address

    found = read_host(host)
    assert found == expected or ip_address(found) == ip_address(expected)
    assert read_host(found) == found


@pytest.mark.parametrize(
    "host",
    [
        "", ".", "..", "a..b", ".a", "127.0.0.1.5", "256.0.0.1", "1.2.3.256", "4294967296", "08",
        "1.2.3.4x.5", "%31%32%37.0.0.1", "a b", "a%00b", "a/b",
        "fe80::1%eth0", "2a00::1%25lo", "[::1]", "::1::", "v1.x:y", "ä" * 70, "a" * 64 + ".example",
        ".".join(["abc"] * 70), "127.0.0.1,8.8.8.8", "+1",
    ],
)  # fmt: skip
def test_what_names_no_host(host: str) -> None:
    """What is neither an address nor a name is refused, never resolved by somebody else's rules."""
    with pytest.raises(ValueError, match=r"."):
        read_host(host)


@given(st.ip_addresses())
def test_an_address_is_its_own_spelling(address: Any) -> None:
    """An address as Python writes it is read as that address."""
    assert read_host(str(address)) == str(address)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No host, however odd, is anything but a ValueError, and what is read is read again alike."""
    try:
        found = read_host(text)
    except ValueError:
        return
    assert read_host(found) == found


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:3000/a.png", True),
        ("http://192.168.1.4/a.png", True),
        ("http://10.0.0.1/a.png", True),
        ("http://0x7f.1/a.png", True),
        ("http://169.254.169.254/latest", True),
        ("http://[::1]/a.png", True),
        ("http://nas/a.png", True),
        ("http://printer.local/a.png", True),
        ("http://a.internal./a.png", True),
        ("https://example.org/a.png", False),
        ("https://8.8.8.8/a.png", False),
        ("https://[::1/a.png", False),
        ("https:///a.png", False),
    ],
)
def test_private_addresses(url: str, expected: bool) -> None:
    """A host is private by its address, or by a name that no public server has."""
    assert is_private(url) is expected
