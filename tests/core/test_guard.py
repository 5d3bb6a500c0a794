"""Where an image URL really leads: every known way to make a fetcher look inside the house."""

from __future__ import annotations

from typing import Any

import pytest

from eyeline.core.guard import Target, allowed_hosts, judge
from eyeline.errors import FetchError, FetchRefused, SettingsError

# What a resolver gives, hostile ones among them.
HOSTS = {
    "public.example": ["93.184.216.34"],
    "many.example": ["93.184.216.34", "2606:2800:220:1::1", "93.184.216.34"],
    "xn--bcher-kva.example": ["93.184.216.35"],
    "localhost": ["127.0.0.1", "::1"],
    "nas.local": ["192.168.1.7"],
    "metadata.google.internal": ["169.254.169.254"],
    "rebound.example": ["93.184.216.34", "127.0.0.1"],
    "127.0.0.1.nip.example": ["127.0.0.1"],
    "mapped.example": ["::ffff:10.0.0.1"],
    "translated.example": ["64:ff9b::a9fe:a9fe"],
    "tunnelled.example": ["2002:7f00:1::"],
    "teredo.example": ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    "scoped.example": ["fe80::1%eth0"],
    "zero.example": ["0.0.0.0"],
    "azure.example": ["168.63.129.16"],
    "nat64.example": ["64:ff9b::808:808"],
}


def resolve(host: str, port: int, source: str) -> list[str]:
    if host not in HOSTS:
        raise FetchError(source, f"the host {host} is not known")
    return HOSTS[host]


def judged(url: str, *allowed: str) -> Target:
    return judge(url, "the sign", allowed_hosts(allowed), resolve)


@pytest.mark.parametrize(
    ("url", "authority", "path", "addresses"),
    [
        ("http://public.example/a.png", "public.example", "/a.png", ("93.184.216.34",)),
        ("https://public.example", "public.example", "/", ("93.184.216.34",)),
        ("HTTPS://PUBLIC.example./a", "public.example", "/a", ("93.184.216.34",)),
        ("https://public.example:443/a", "public.example", "/a", ("93.184.216.34",)),
        ("https://public.example:8443/a", "public.example:8443", "/a", ("93.184.216.34",)),
        ("http://ada:pw@public.example/a", "public.example", "/a", ("93.184.216.34",)),
        ("http://127.0.0.1@public.example/a", "public.example", "/a", ("93.184.216.34",)),
        (" http://public.example/a\n", "public.example", "/a", ("93.184.216.34",)),
        ("http://bücher.example/ü", "xn--bcher-kva.example", "/%C3%BC", ("93.184.216.35",)),
        ("http://many.example/", "many.example", "/", ("93.184.216.34", "2606:2800:220:1::1")),
        ("http://8.8.8.8/a", "8.8.8.8", "/a", ("8.8.8.8",)),
        ("http://134744072/a", "8.8.8.8", "/a", ("8.8.8.8",)),
        ("http://[2606:2800:220:1::1]:81/a", "[2606:2800:220:1::1]:81", "/a",
         ("2606:2800:220:1::1",)),
        ("http://nat64.example/a", "nat64.example", "/a", ("64:ff9b::808:808",)),
        ("http://public.example/a b?q=x y&z=%20#top", "public.example", "/a%20b?q=x%20y&z=%20",
         ("93.184.216.34",)),
        ("http://public.example?next=http://127.0.0.1/", "public.example",
         "/?next=http://127.0.0.1/", ("93.184.216.34",)),
    ],
)  # fmt: skip
def test_where_it_leads(url: str, authority: str, path: str, addresses: tuple[str, ...]) -> None:
    """A public URL leads to its host's addresses; user, password and fragment stay here."""
    target = judged(url)
    assert (target.authority, target.path, target.addresses) == (authority, path, addresses)


# Each a way that was tried on some fetcher: loopback and private addresses in every spelling,
# names that resolve to them, clouds' own services, tricks with users, slashes and control
# characters, other schemes and ports that are none.
REFUSED = [
    "http://127.0.0.1/a.png", "http://127.8.8.8/a.png", "http://127.0.0.1:8080/a.png",
    "http://localhost/a.png", "http://localhost./a.png", "http://LOCALHOST/a.png",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/a.png", "http://nas.local/a.png",
    "http://10.1.2.3/a.png", "http://172.16.0.1/a.png", "http://172.31.255.254/a.png",
    "http://192.168.1.1/a.png", "http://100.64.0.1/a.png", "http://0.0.0.0/a.png",
    "http://0/a.png", "http://224.0.0.1/a.png", "http://255.255.255.255/a.png",
    "http://198.18.0.1/", "http://192.0.2.1/", "http://203.0.113.9/", "http://240.0.0.1/",
    "http://2130706433/a.png", "http://3232235777/a.png", "http://0x7f000001/a.png",
    "http://0x7F.0x0.0x0.0x1/a.png", "http://0x7f.1/a.png", "http://0177.0.0.1/a.png",
    "http://0177.0.0.01/a.png", "http://017700000001/a.png", "http://127.1/a.png",
    "http://127.0.1/a.png", "http://127.0.0.1./a.png", "http://①②⑦.⓪.⓪.①/a.png",
    "http://１２７.０.０.１/a.png", "http://127。0。0。1/a.png", "http://127｡0｡0｡1/a.png",
    "http://0xa9fea9fe/", "http://2852039166/", "http://0251.0376.0251.0376/",
    "http://169.254.43518/", "http://0xa9.254.0251.254/",
    "http://169.254.169.254/latest/meta-data/", "http://169.254.170.2/v2/credentials",
    "http://100.100.100.200/latest/meta-data/", "http://192.0.0.192/opc/v2/",
    "http://168.63.129.16/metadata", "http://metadata.google.internal/computeMetadata/v1/",
    "http://[fd00:ec2::254]/latest/", "http://[fd20:ce::254]/",
    "http://[::1]/a.png", "http://[::]/a.png", "http://[0:0:0:0:0:0:0:1]/a.png",
    "http://[::127.0.0.1]/a.png", "http://[::ffff:127.0.0.1]/a.png",
    "http://[::ffff:7f00:1]/a.png", "http://[::ffff:a9fe:a9fe]/a.png",
    "http://[::ffff:0:127.0.0.1]/a.png", "http://[0:0:0:0:0:FFFF:7F00:0001]/a.png",
    "http://[64:ff9b::7f00:1]/a.png", "http://[64:ff9b::169.254.169.254]/a.png",
    "http://[64:ff9b:1::7f00:1]/a.png", "http://[2002:7f00:1::]/a.png",
    "http://[2002:a9fe:a9fe::1]/a.png", "http://[2001::1]/a.png",
    "http://[2a00::5efe:7f00:1]/a.png", "http://[2a00::200:5efe:10.0.0.1]/a.png",
    "http://[fe80::1]/a.png", "http://[fe80::1%25eth0]/a.png", "http://[fe80::1%eth0]/a.png",
    "http://[2a00::1%251]/a.png", "http://[fc00::1]/a.png", "http://[fec0::1]/a.png",
    "http://[ff02::1]/a.png", "http://[2001:db8::1]/a.png", "http://[100::1]/a.png",
    "http://rebound.example/a.png", "http://127.0.0.1.nip.example/a.png",
    "http://mapped.example/a.png", "http://translated.example/a.png",
    "http://tunnelled.example/a.png", "http://teredo.example/a.png",
    "http://scoped.example/a.png", "http://zero.example/a.png", "http://azure.example/a.png",
    "http://public.example@127.0.0.1/a.png", "http://public.example:80@127.0.0.1/a.png",
    "http://a@b@127.0.0.1/a.png", "http://public.example%2f@127.0.0.1/a.png",
    "http://public.example\\@127.0.0.1/a.png", "http://127.0.0.1\\@public.example/a.png",
    "http:\\\\127.0.0.1\\a.png", "http://public.example\\.nip.example/",
    "http://127.0.0.1\t/a.png", "http://public.example/a\r\nHost: localhost",
    "http://public.example\r\nX: y/", "http://public.example/\x00", "http://pub\nlic.example/",
    "http://public.example /a", "http://%31%32%37.0.0.1/a.png", "http://127.0.0.1%00/a.png",
    "http://127.0.0.1%2f.public.example/", "http://127.0.0.1,public.example/",
    "http://256.256.256.256/", "http://1.2.3.4.5/", "http://..example/",
    "http://a..example/", "http://[::1/a.png", "http://[127.0.0.1]/a.png",
    "http://::1/a.png", "http:///a.png", "http://", "http:127.0.0.1/",
    "//127.0.0.1/a.png", "/etc/passwd", "127.0.0.1/a.png", "",
    "ftp://public.example/a.png", "file:///etc/passwd", "file://localhost/etc/passwd",
    "gopher://127.0.0.1:6379/_INFO", "dict://127.0.0.1:11211/stat", "ldap://127.0.0.1/",
    "data:image/png;base64,AAAA", "jar:http://127.0.0.1!/", "unix:///var/run/docker.sock",
    "javascript:alert(1)", "ws://public.example/", "http+unix://%2fvar%2frun/",
    "http://public.example:0/a.png", "http://public.example:65536/a.png",
    "http://public.example:-1/a.png", "http://public.example:80a/a.png",
    "http://public.example:8_0/a.png", f"http://{'a' * 70}.example/", "http://ß..example/",
]  # fmt: skip


def test_the_table_is_long_enough() -> None:
    """At least a hundred ways inside are tried, none of them twice."""
    assert len(REFUSED) == len(set(REFUSED)) >= 100


@pytest.mark.parametrize("url", REFUSED)
def test_refuses_every_way_inside(url: str) -> None:
    """Whatever the dress, it is refused before anything is connected, with a reason."""
    with pytest.raises(FetchRefused) as raised:
        judged(url)
    assert "\n" not in str(raised.value)


def test_an_unknown_host() -> None:
    """A host without an address is not refused but unknown."""
    with pytest.raises(FetchError, match="is not known") as raised:
        judged("http://nobody.example/a.png")
    assert not isinstance(raised.value, FetchRefused)


@pytest.mark.parametrize(
    ("url", "allowed", "expected"),
    [
        ("http://localhost/a", "localhost", True),
        ("http://LOCALHOST./a", "LocalHost.", True),
        ("http://localhost:8080/a", "localhost", True),
        ("http://localhost:8080/a", "localhost:8080", True),
        ("http://localhost:8081/a", "localhost:8080", False),
        ("http://localhost/a", "localhost:80", True),
        ("http://127.0.0.1/a", "localhost", False),
        ("http://localhost/a", "127.0.0.1", False),
        ("http://127.1/a", "127.0.0.1", True),
        ("http://127.0.0.1/a", "0x7f.1", True),
        ("http://127.0.0.2/a", "127.0.0.1", False),
        ("http://[::1]:8000/a", "[::1]:8000", True),
        ("http://[::1]:8001/a", "[::1]:8000", False),
        ("http://[0::1]/a", "::1", True),
        ("http://[::1]/a", "[::1]", True),
        ("http://nas.local/a", "nas.local", True),
        ("http://evil.nas.local/a", "nas.local", False),
        ("http://rebound.example/a", "rebound.example", True),
        ("http://metadata.google.internal/", "localhost", False),
    ],
)
def test_what_is_allowed_by_name(url: str, allowed: str, expected: bool) -> None:
    """A host named, in any spelling and perhaps with its port, may lie inside; no other may."""
    if expected:
        assert judged(url, allowed).addresses
    else:
        with pytest.raises(FetchError):
            judged(url, allowed)


def test_a_refusal_names_the_host_to_allow() -> None:
    """The error says which address was found, and its hint how the host would be allowed."""
    with pytest.raises(FetchRefused, match=r"nas\.local is the private address 192\.168\.1\.7") as (
        raised
    ):
        judged("http://ada:pw@NAS.local:8080/a.png")
    assert raised.value.hint.endswith("EYELINE_ALLOW_HOSTS=nas.local")


@pytest.mark.parametrize("entry", ["http://nas.local/", "a b", "", "nas.local:http", "*.local"])
def test_what_cannot_be_allowed(entry: Any) -> None:
    """An entry that is no host would never match anything, so it is an error that says so."""
    with pytest.raises(SettingsError, match=r"allow_hosts: .*, expected a host or host:port"):
        allowed_hosts([entry])
