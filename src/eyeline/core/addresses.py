"""
Hosts in every spelling, and which addresses are open to anybody.

Sources: IANA's registries of special-purpose addresses for IPv4 and IPv6 (read November 2026), RFC
6052 (NAT64), RFC 5214 (ISATAP), RFC 7526 (end of 6to4); spellings as inet_aton(3) and the WHATWG
URL standard read them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

INSIDE_4 = tuple(map(IPv4Network, (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "168.63.129.16/32",  # Azure's own services, reached from its machines alone
)))  # fmt: skip
OPEN_6 = IPv6Network("2000::/3")
INSIDE_6 = tuple(map(IPv6Network, (
    "2001::/23",  # protocols, among them Teredo, ORCHID and benchmarks
    "2001:db8::/32", "3fff::/20",  # documentation
    "2002::/16",  # 6to4, which carries IPv4 addresses and has ended
)))  # fmt: skip
NAT64 = IPv6Network("64:ff9b::/96")
# The upper half of an ISATAP interface's lower half; the bit that may differ says "unique".
ISATAP = {0x0000_5EFE, 0x0200_5EFE}

# What IDNA takes for a dot beside the dot.
DOTS = str.maketrans(dict.fromkeys("。．｡", "."))
NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\Z")
DIGITS = re.compile(r"[0-9a-f]+\Z")
NUMBER = re.compile(r"\d+\Z|0x[0-9a-f]*\Z")
# Names that resolve inside a network alone. Sources: RFC 6761, RFC 6762, ICANN on .internal.
PRIVATE_ENDINGS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


def is_public(address: str) -> bool:
    """Say whether an address is on the open internet, looking through IPv4 carried in IPv6."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv4Address):
        return not within(ip, INSIDE_4)
    carried = carried_address(ip)
    if carried is not None and within(carried, INSIDE_4):
        return False
    is_dressed = ip.ipv4_mapped is not None or ip in NAT64
    return is_dressed or (ip in OPEN_6 and not within(ip, INSIDE_6))


def within(
    ip: IPv4Address | IPv6Address, networks: Iterable[IPv4Network] | Iterable[IPv6Network]
) -> bool:
    return any(ip in network for network in networks)


def carried_address(ip: IPv6Address) -> IPv4Address | None:
    """Give the IPv4 address that packets to an IPv6 address end at, None where there is none."""
    if ip in NAT64 or (int(ip) >> 32) & 0xFFFF_FFFF in ISATAP:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped


def read_host(host: str) -> str:
    """
    Give a host in its one spelling: an address as it is written usually, a name in ASCII.

    Raises ValueError for what is neither; its text says why.
    """
    plain = unicodedata.normalize("NFKC", host.translate(DOTS)).lower()
    if ":" in plain:
        return str(read_ipv6(plain))
    plain = plain.removesuffix(".")
    if not plain.isascii():
        plain = plain.encode("idna").decode("ascii")
    if NUMBER.match(plain.rpartition(".")[2]):
        return str(read_ipv4(plain))
    if not NAME.match(plain):
        raise ValueError(f"{host!r} is not the name of a host")
    return plain


def is_address(host: str) -> bool:
    """Say whether a host, as `read_host` gives it, is an address and no name."""
    return ":" in host or host.replace(".", "").isdecimal()


def read_ipv6(host: str) -> IPv6Address:
    """Read an IPv6 address; one with a zone is of this machine's own network."""
    if "%" in host:
        raise ValueError(f"{host!r} names a zone of this machine's own network")
    return IPv6Address(host)


def read_ipv4(host: str) -> IPv4Address:
    """Read one to four numbers, decimal, octal or hexadecimal; the last fills what is left."""
    *firsts, last = (read_number(part, host) for part in host.split("."))
    is_small = len(firsts) <= 3 and all(first <= 255 for first in firsts)
    if not is_small or last >= 256 ** (4 - len(firsts)):
        raise ValueError(f"{host!r} is not an IPv4 address")
    number = sum(first << (24 - 8 * at) for at, first in enumerate(firsts)) + last
    return IPv4Address(number)


def read_number(part: str, host: str) -> int:
    is_hex, is_octal = part.startswith("0x"), part.startswith("0")
    digits, base = (part[2:] or "0", 16) if is_hex else (part, 8 if is_octal else 10)
    try:
        return int(DIGITS.match(digits)[0], base)  # type: ignore[index]  # None raises TypeError
    except (TypeError, ValueError):
        raise ValueError(f"{host!r} is not an IPv4 address") from None


def is_private(url: str) -> bool:
    """Say whether a URL names a host that a provider cannot reach, as far as its name tells."""
    try:
        host = read_host(urlsplit(url).hostname or "")
    except ValueError:
        return False
    if is_address(host):
        return not is_public(host)
    return "." not in host or host.endswith(PRIVATE_ENDINGS)
