"""The site behind PgBouncer: transactions share five connections, over TLS that is checked. What breaks is counted.

Two web processes, two workers, migrations and every write go through it. Needs pgbouncer (Debian: apt-get install
pgbouncer) and PostgreSQL. BENCH_SECONDS says for how long.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.faults import Counts, Load, fill, is_back, settle, verdict
from bench.room import Room, is_open, wait_for
from bench.scratch import free_port, prepare, print_rows
from tests.loopback import web_server

SECONDS = float(os.environ.get("BENCH_SECONDS", "20"))
CONNECTIONS = 5
SETTINGS = """
[databases]
newsroom = host=127.0.0.1 port={database} dbname=postgres user=newsroom
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 200
client_tls_sslmode = require
client_tls_key_file = {folder}/key.pem
client_tls_cert_file = {folder}/certificate.pem
"""


def certificate(folder: Path) -> None:
    """A key and a certificate of 127.0.0.1, which vouches for itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    ours = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(ours, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def start_pooler(room: Room, port: int) -> None:
    account = "postgres" if os.getuid() == 0 else None
    certificate(room.folder)
    told = {"database": room.database_port, "port": port, "connections": CONNECTIONS, "folder": room.folder}
    (room.folder / "pgbouncer.ini").write_text(SETTINGS.format(**told))
    if account:
        for name in ("key.pem", "certificate.pem", "pgbouncer.ini"):
            shutil.chown(room.folder / name, account)
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise SystemExit("pgbouncer is not installed (Debian: apt-get install pgbouncer)")
    room.add("pgbouncer", program, room.folder / "pgbouncer.ini", user=account).start()
    wait_for(lambda: is_open(port), 30)


def connections_of(room: Room) -> int:
    """How many PostgreSQL serves at this moment; asked past the pooler."""
    import psycopg2

    with psycopg2.connect(f"postgres://newsroom@127.0.0.1:{room.database_port}/postgres") as own:
        cursor = own.cursor()
        cursor.execute("SELECT count(*) - 1 FROM pg_stat_activity WHERE usename = 'newsroom'")
        return int(cursor.fetchone()[0])  # type: ignore[index]


def main() -> None:
    counts = Counts()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="newsroom-pooler-")))
        folder.chmod(0o755)
        disk = folder / "disk"
        disk.mkdir()
        feeds, port = stack.enter_context(web_server()), free_port()
        checked = f"sslmode=verify-full&sslrootcert={folder}/certificate.pem"
        url = f"postgres://newsroom@127.0.0.1:{port}/newsroom?{checked}"
        room = Room(folder, disk, "postgresql", {"DATABASE_URL": url})
        stack.callback(room.close)
        room.start_servers()
        start_pooler(room, port)
        prepare()
        from django.core.management import call_command
        from django.db import connections

        stack.callback(connections.close_all)
        call_command("collectstatic", interactive=False, verbosity=0)
        articles = fill(feeds)
        room.start_site()
        wait_for(lambda: is_back(room), 300)
        load = Load(room, counts, articles)
        load.start()
        most, until = 0, time.monotonic() + SECONDS
        while time.monotonic() < until:
            most = max(most, connections_of(room))
            time.sleep(0.5)
        load.stop()
        settle()
        promises = verdict(counts)
    rows: list[tuple[str, float, str]] = [
        (f"answers: {kind}", number, "") for kind, number in sorted(counts.answers.items())
    ]
    rows.append(("most connections of the database at once", most, ""))
    rows += [(name, number, "") for name, number in promises.items()]
    print_rows(*rows)


if __name__ == "__main__":
    main()
