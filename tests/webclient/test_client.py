"""Whatever a server does, a request ends in time, in bounds, and with an answer or a reason."""

from __future__ import annotations

import datetime
import gzip
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.loopback import WebServer, web_server
from tests.webclient.conftest import LOOPBACK, SHORT
from webclient.client import Client, Hop, Limits
from webclient.errors import BadEncoding, OutgoingError, TooLarge, TooManyRedirects, TooSlow, Unreachable

Script = Callable[[socket.socket], None]


def drip(head: bytes, piece: bytes, times: int) -> Script:
    def script(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(times):
            connection.sendall(piece)
            time.sleep(0.1)

    return script


def test_an_answer_comes_back_as_it_is(web: WebServer, client: Client) -> None:
    url = web.put("/feed?a=1", "Übersicht".encode(), headers=[("ETag", '"v1"'), ("X-Odd", "y")])

    answer = client.get(url, headers={"If-None-Match": '"v0"'})

    assert (answer.url, answer.status, answer.body, answer.hops) == (url, 200, "Übersicht".encode(), ())
    assert answer.headers["etag"] == answer.headers["ETAG"] == '"v1"'
    assert web.asked[0].headers["If-None-Match"] == '"v0"'
    assert web.asked[0].headers["User-Agent"].startswith("Newsroom/")
    assert 0 < answer.seconds < 2


def test_head_and_not_modified_have_no_body_and_leave_the_connection_usable(
    web: WebServer, client: Client
) -> None:
    web.put("/page", b"text")
    web.put("/same", status=304)

    assert client.head(web.url("/page")).body == b""
    assert client.get(web.url("/same")).status == 304
    assert client.get(web.url("/page")).body == b"text"
    assert web.connections == 1


def test_post_sends_a_body_and_does_not_follow(web: WebServer, client: Client) -> None:
    web.redirect("/hub", "/elsewhere", 307)

    answer = client.post(web.url("/hub"), body=b"hub.mode=subscribe", headers={"Content-Type": "text/plain"})

    assert answer.status == 307
    assert [(one.method, one.path, one.body) for one in web.asked] == [
        ("POST", "/hub", b"hub.mode=subscribe")
    ]


def test_redirects_are_followed_and_told(web: WebServer, client: Client) -> None:
    web.redirect("/a", "/b", 301)
    web.redirect("/b", web.url("/c?x=ü"), 308)
    web.put("/c?x=%C3%BC", b"found")

    answer = client.get(web.url("/a"))

    assert answer.body == b"found"
    assert answer.hops == (Hop(web.url("/a"), 301), Hop(web.url("/b"), 308))


def test_redirects_end_after_five(web: WebServer, client: Client) -> None:
    web.redirect("/loop", "/loop")

    with pytest.raises(TooManyRedirects):
        client.get(web.url("/loop"))
    assert len(web.asked) == 6


@pytest.mark.parametrize(
    "location", ["http://[::1", "file:///etc/passwd", "http://u:p@news.example/", "\x01", "http://"]
)
def test_a_redirect_to_nonsense_is_an_error(web: WebServer, client: Client, location: str) -> None:
    web.redirect("/a", location)

    with pytest.raises(OutgoingError):
        client.get(web.url("/a"))


def test_secrets_are_not_passed_on_to_another_host(web: WebServer, client: Client) -> None:
    with web_server() as other:
        web.redirect("/a", other.url("/b"))
        other.put("/b", b"ok")
        client.get(web.url("/a"), headers={"Authorization": "Bearer secret", "Accept": "text/xml"})

        assert other.asked[0].headers["Authorization"] is None
        assert other.asked[0].headers["Accept"] == "text/xml"


def test_proxies_of_the_environment_are_not_obeyed(
    web: WebServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_server() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        web.put("/feed", b"direct")

        assert client.get(web.url("/feed")).body == b"direct"
        assert proxy.asked == []


TEXT = b"<rss>" + b"news " * 2000 + b"</rss>"
RAW_DEFLATE = zlib.compressobj(wbits=-15)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("x-gzip", gzip.compress(TEXT, mtime=0)),
        ("GZIP", gzip.compress(TEXT[:500], mtime=0) + gzip.compress(TEXT[500:], mtime=0)),
        ("gzip", gzip.compress(TEXT, mtime=0) + b"\0\0\0"),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", RAW_DEFLATE.compress(TEXT) + RAW_DEFLATE.flush()),
        ("br", brotli.compress(TEXT)),
        ("identity", TEXT),
        ("", TEXT),
    ],
)
def test_compressed_answers_are_read(web: WebServer, client: Client, encoding: str, body: bytes) -> None:
    web.put("/feed", body, headers=[("Content-Encoding", encoding)])

    assert client.get(web.url("/feed")).body == TEXT


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_an_empty_compressed_answer_is_empty(web: WebServer, client: Client, encoding: str) -> None:
    web.put("/feed", b"", headers=[("Content-Encoding", encoding)])

    assert client.get(web.url("/feed")).body == b""


def test_zstd_is_read_where_the_library_is_installed(web: WebServer, client: Client) -> None:
    zstandard = pytest.importorskip("zstandard")
    web.put("/feed", zstandard.compress(TEXT), headers=[("Content-Encoding", "zstd")])
    web.put("/bomb", zstandard.compress(b"\0" * 50_000_000), headers=[("Content-Encoding", "zstd")])

    assert client.get(web.url("/feed")).body == TEXT
    with pytest.raises(TooLarge):
        client.get(web.url("/bomb"))


BOMB = b"\0" * 50_000_000


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(BOMB, mtime=0)), ("deflate", zlib.compress(BOMB)), ("br", brotli.compress(BOMB))],
)
def test_a_compression_bomb_is_stopped_at_the_limit(
    web: WebServer, client: Client, encoding: str, body: bytes
) -> None:
    assert len(body) < SHORT.wire_bytes
    web.put("/bomb", body, headers=[("Content-Encoding", encoding)])

    with pytest.raises(TooLarge):
        client.get(web.url("/bomb"))


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip, gzip", gzip.compress(gzip.compress(TEXT, mtime=0), mtime=0)),
        ("gzip,br", b"x"),
        ("compress", b"x"),
        ("gzip", b"\0" + TEXT),
        ("gzip", gzip.compress(TEXT, mtime=0)[:-20]),
        ("br", b"\xff" * 50),
        ("br", brotli.compress(TEXT)[:-3]),
        ("deflate", zlib.compress(TEXT)[:-9]),
    ],
)
def test_a_compression_that_cannot_be_undone_is_an_error(
    web: WebServer, client: Client, encoding: str, body: bytes
) -> None:
    web.put("/feed", body, headers=[("Content-Encoding", encoding)])

    with pytest.raises(BadEncoding):
        client.get(web.url("/feed"))


@pytest.mark.parametrize("encoding", ["utf-8", "none", "UTF-8, gzip", "gzip", "br", "zstd"])
def test_an_answer_that_is_only_called_compressed_is_read_as_it_is(
    web: WebServer, client: Client, encoding: str
) -> None:
    web.put("/feed", b"<rss>Text</rss>", headers=[("Content-Encoding", encoding)])

    assert client.get(web.url("/feed")).body == b"<rss>Text</rss>"


def test_what_only_announces_the_answer_is_passed_over(web: WebServer, client: Client) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2
    web.play("/feed", lambda one: one.sendall(early + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntext"))

    answer = client.get(web.url("/feed"))

    assert (answer.status, answer.body) == (200, b"text")


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"4000\r\n" + b"a" * 0x4000 + b"\r\n")


def endless_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-A: " + b"b" * 1000 + b"\r\n")


def one_endless_header(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-A: ")
    while True:
        connection.sendall(b"b" * 4096)


def lying_length(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n")


def short_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhello")


def not_http(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def hang_up(connection: socket.socket) -> None:
    connection.close()


def broken_chunks(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello")


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", b"a", 100), TooSlow),
        (drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n", 100), TooSlow),
        (drip(b"HTTP/1.1 200 OK\r\nX-A: ", b"b", 100), TooSlow),
        (drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 100), TooSlow),
        (drip(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", b"", 30), TooSlow),
        (endless, TooLarge),
        (one_endless_header, OutgoingError),
        (endless_headers, OutgoingError),
        (lying_length, TooLarge),
        (short_body, Unreachable),
        (not_http, Unreachable),
        (hang_up, Unreachable),
        (broken_chunks, Unreachable),
    ],
)
def test_a_hostile_server_costs_a_bounded_time_and_gives_a_reason(
    web: WebServer, client: Client, script: Script, error: type[OutgoingError]
) -> None:
    url = web.play("/feed", script)
    started = time.monotonic()

    with pytest.raises(error) as raised:
        client.get(url)

    assert time.monotonic() - started < 3.5
    assert str(raised.value).endswith(".")


def test_the_deadline_covers_all_redirects_together(web: WebServer, client: Client) -> None:
    def slow(connection: socket.socket) -> None:
        time.sleep(0.5)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n")

    with pytest.raises(TooSlow):
        client.get(web.play("/a", slow), limits=Limits(seconds=1.2))


def test_a_name_that_is_not_answered_for_ends_in_time() -> None:
    waiting = threading.Event()
    client = Client(resolve=lambda host, port: [str(waiting.wait(5))], limits=Limits(connect_seconds=0.3))

    with pytest.raises(TooSlow, match="looked up"):
        client.get("http://slow.example/")
    waiting.set()
    client.close()


def test_a_closed_port_and_an_unknown_name_are_told_apart(client: Client) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    with pytest.raises(Unreachable, match="No connection"):
        client.get(f"http://127.0.0.1:{port}/")
    with pytest.raises(Unreachable, match="no server by the name"):
        client.get("http://nowhere.invalid/")


def test_connections_are_kept_and_a_stale_one_is_replaced(web: WebServer, client: Client) -> None:
    def once(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    web.put("/feed", b"ok")
    for _ in range(3):
        client.get(web.url("/feed"))
    assert web.connections == 1

    client.get(web.play("/closes", once))
    time.sleep(0.1)
    assert client.get(web.url("/feed")).body == b"ok"
    assert web.connections == 2


def test_many_threads_may_share_a_client(web: WebServer, client: Client) -> None:
    for number in range(20):
        web.put(f"/{number}", str(number).encode() * 500)
    wrong: list[int] = []

    def fetch(number: int) -> None:
        for _ in range(5):
            if client.get(web.url(f"/{number}")).body != str(number).encode() * 500:
                wrong.append(number)

    threads = [threading.Thread(target=fetch, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert len(web.asked) == 100


def test_a_line_break_in_a_header_is_refused(web: WebServer, client: Client) -> None:
    web.put("/feed", b"ok")

    with pytest.raises(OutgoingError):
        client.get(web.url("/feed"), headers={"If-None-Match": '"a"\r\nX-Injected: 1'})
    assert web.asked == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for news.example, self-signed, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "news.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("news.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "news.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


def test_https_names_and_verifies_the_host_asked_for(certificate: Path) -> None:
    named: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda sock, name, ctx: named.append(name)

    with web_server(lambda sock: context.wrap_socket(sock, server_side=True)) as web:
        web.put("/feed", TEXT)
        web.play("/drip", drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", b"a", 100))
        client = Client(
            LOOPBACK, limits=SHORT, resolve=lambda host, port: ["127.0.0.1"], ca_file=str(certificate)
        )
        unknowing = Client(LOOPBACK, limits=SHORT, resolve=lambda host, port: ["127.0.0.1"])

        answer = client.get(f"https://news.example:{web.port}/feed")
        assert answer.body == TEXT
        assert named == ["news.example"]
        with pytest.raises(TooSlow):
            client.get(f"https://news.example:{web.port}/drip")
        with pytest.raises(Unreachable, match="certificate"):
            client.get(f"https://other.example:{web.port}/feed")
        with pytest.raises(Unreachable, match="certificate"):
            unknowing.get(f"https://news.example:{web.port}/feed")
        client.close()
        unknowing.close()
