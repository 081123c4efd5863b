"""A name server on the loopback that answers TXT questions from a table, or keeps silent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset


@dataclass
class NameServer:
    """Its table: name to texts. `silent` makes it never answer."""

    address: str = ""
    texts: dict[str, list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    silent: bool = False

    def answer(self, question: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(question)
        response.flags |= dns.flags.AA | dns.flags.RA
        name = question.question[0].name.to_text().rstrip(".").lower()
        self.asked.append(name)
        texts = self.texts.get(name, [])
        quoted = [" ".join(f'"{text[n : n + 200]}"' for n in range(0, len(text), 200)) for text in texts]
        if quoted and question.question[0].rdtype == dns.rdatatype.TXT:
            response.answer.append(dns.rrset.from_text(question.question[0].name, 60, "IN", "TXT", *quoted))
        else:
            response.set_rcode(3)
        return response


@contextmanager
def name_server() -> Iterator[NameServer]:
    """A running name server; its address is `host:port`."""
    server = NameServer()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        door.settimeout(0.05)
        server.address = f"127.0.0.1:{door.getsockname()[1]}"
        stop = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, door, stop), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            stop.set()
            thread.join(5)


def _serve(server: NameServer, door: socket.socket, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            question, asker = door.recvfrom(4096)
        except TimeoutError:
            continue
        if not server.silent:
            door.sendto(server.answer(dns.message.from_wire(question)).to_wire(), asker)
