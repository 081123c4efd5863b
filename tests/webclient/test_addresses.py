"""No connection is made to an address inside, however it is written."""

from __future__ import annotations

import ipaddress

import pytest

from tests.loopback import WebServer
from webclient.addresses import allowed_networks, is_forbidden
from webclient.client import Client
from webclient.errors import BadAddress, ForbiddenAddress, OutgoingError

INSIDE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.8",
    "192.0.0.9",
    "192.0.0.170",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "::ffff:0:7f00:1",
    "::ffff:0:a00:1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "ff0e::1",
]
OUTSIDE = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "192.167.255.255",
    "192.169.0.1",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_an_inside_address_is_forbidden(address: str) -> None:
    assert is_forbidden(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_public_address_is_not(address: str) -> None:
    assert not is_forbidden(ipaddress.ip_address(address))


def test_an_allowed_network_is_open_in_every_spelling_and_nothing_beside_it() -> None:
    allow = allowed_networks([ipaddress.ip_network("127.0.0.0/8")])

    assert not is_forbidden(ipaddress.ip_address("127.0.0.1"), allow)
    assert not is_forbidden(ipaddress.ip_address("::ffff:127.0.0.1"), allow)
    assert not is_forbidden(ipaddress.ip_address("::1"), allow)
    assert is_forbidden(ipaddress.ip_address("10.0.0.1"), allow)
    assert is_forbidden(ipaddress.ip_address("169.254.169.254"), allow)


WRITTEN = [
    "127.0.0.1",
    "127.1",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "2130706433",
    "017700000001",
    "0",
    "127.0.0.1.",
    "localhost",
    "LOCALHOST",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:0:0:1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "１２７.0.0.1",
    "①②⑦.0.0.1",
    "10.0.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "192.0.0.192",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[::]",
]


@pytest.mark.parametrize("host", WRITTEN)
def test_no_spelling_of_an_inside_host_is_reached(host: str, web: WebServer, strict_client: Client) -> None:
    for port in ("", f":{web.port}"):
        with pytest.raises(OutgoingError):
            strict_client.get(f"http://{host}{port}/secret")

    assert web.asked == []


ELSEWHERE = [
    "10.1",
    "012.0.0.1",
    "0x0a.0.0.1",
    "0xa000001",
    "167772161",
    "10.0.0.1.",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::a00:1]",
    "[2002:a00:1::]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "１０.0.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "2852039166",
    "192.0.0.192",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[::]",
    "0.0.0.0",
    "0",
]


@pytest.mark.parametrize("host", ELSEWHERE)
def test_no_redirect_leads_inside(host: str, web: WebServer, client: Client) -> None:
    start = web.redirect("/start", f"http://{host}/secret")

    with pytest.raises(OutgoingError):
        client.get(start)

    assert web.paths() == ["/start"]


def test_a_redirect_into_a_private_network_is_named_as_such(web: WebServer, client: Client) -> None:
    start = web.redirect("/start", "http://169.254.169.254/latest/meta-data/")

    with pytest.raises(ForbiddenAddress, match="private network"):
        client.get(start)


@pytest.mark.parametrize(
    "answers", [["93.184.216.34", "127.0.0.1"], ["127.0.0.1"], ["::1"], ["fe80::1%eth0"]]
)
def test_one_inside_answer_among_a_names_addresses_forbids_it(web: WebServer, answers: list[str]) -> None:
    client = Client(resolve=lambda host, port: answers)

    with pytest.raises(ForbiddenAddress):
        client.get("http://news.example/secret")
    client.close()


def test_the_address_checked_is_the_address_connected_to(web: WebServer) -> None:
    answers = iter([["127.0.0.1"], ["10.9.9.9"]])
    client = Client([ipaddress.ip_network("127.0.0.0/8")], resolve=lambda host, port: next(answers))
    web.put("/feed", b"fresh", headers=[("Connection", "close")])

    first = client.get(f"http://rebinding.example:{web.port}/feed")

    assert first.body == b"fresh"
    assert web.asked[0].headers["Host"] == f"rebinding.example:{web.port}"
    with pytest.raises(ForbiddenAddress):
        client.get(f"http://rebinding.example:{web.port}/feed")
    assert len(web.asked) == 1
    client.close()


def test_a_kept_connection_does_not_outlive_its_names_address(web: WebServer) -> None:
    answers = iter([["127.0.0.1"], ["10.9.9.9"]])
    client = Client([ipaddress.ip_network("127.0.0.0/8")], resolve=lambda host, port: next(answers))
    web.put("/feed", b"fresh")

    client.get(f"http://rebinding.example:{web.port}/feed")
    with pytest.raises(ForbiddenAddress):
        client.get(f"http://rebinding.example:{web.port}/feed")
    client.close()


def test_the_next_address_is_tried_when_the_first_does_not_answer(web: WebServer) -> None:
    client = Client(
        [ipaddress.ip_network("127.0.0.0/8")], resolve=lambda host, port: ["::1", "127.0.0.9", "127.0.0.1"]
    )
    web.put("/feed", b"here")

    assert client.get(f"http://two.example:{web.port}/feed").body == b"here"
    client.close()


def test_other_ports_than_80_and_443_are_open_inside_the_allow_list_only() -> None:
    client = Client(resolve=lambda host, port: ["93.184.216.34"])

    with pytest.raises(ForbiddenAddress, match="Port 8080"):
        client.get("http://news.example:8080/feed")
    client.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "feed.xml",
        "//news.example/feed",
        "file:///etc/passwd",
        "ftp://news.example/feed",
        "gopher://news.example/",
        "javascript:alert(1)",
        "http://",
        "http:///feed",
        "http://user:secret@news.example/feed",
        "http://news.example\\@127.0.0.1/",
        "http://news.example:0/",
        "http://news.example:99999/",
        "http://news.example:port/",
        "http://[::1",
        "http://[zz::1]/",
        "http://[fe80::1%25eth0]/",
        "http://news..example/",
        "http://-a\x00.example/",
        "http://news.example/feed\r\nHost: other.example",
        "http://news.example/\tfeed",
        "http://ne ws.example/",
        "http://%31%32%37.0.0.1/",
        "http://news.example/" + "a" * 5000,
        "http://" + "a" * 300 + ".example/",
    ],
)
def test_what_is_not_a_web_address_is_refused_with_a_reason(url: str, strict_client: Client) -> None:
    with pytest.raises(BadAddress) as refused:
        strict_client.get(url)

    assert str(refused.value).endswith(".")


def test_a_name_in_another_script_is_looked_up_in_ascii() -> None:
    seen: list[str] = []
    client = Client(resolve=lambda host, port: seen.append(host) or ["127.0.0.1"])  # type: ignore[func-returns-value]

    with pytest.raises(ForbiddenAddress):
        client.get("http://Zeitung-Süd.example/feed")

    assert seen == ["xn--zeitung-sd-ieb.example"]
    client.close()
