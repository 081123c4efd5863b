"""The operator's page knows every setting and every command."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.management import get_commands

from tests.conftest import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
OPERATING = (ROOT / "docs" / "operating.md").read_text()
OURS = {"newsroom", "moderation", "aggregator", "readers", "articles", "accounts"}


def settings_read() -> set[str]:
    """Every name the settings, gunicorn's configuration and script/run take from the environment."""
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "newsroom" / "settings.py").read_text()))
    gunicorn = (ROOT / "newsroom" / "gunicorn.py").read_text()
    names |= set(re.findall(r'environ\.get\(["\']([A-Z_]+)', gunicorn))
    return names | set(re.findall(r"\$\{([A-Z_]+):-", (ROOT / "script" / "run").read_text()))


@pytest.mark.parametrize("name", sorted(settings_read()))
def test_every_setting_is_in_the_table(name: str) -> None:
    assert f"| `{name}` |" in OPERATING


@pytest.mark.parametrize("name", sorted(name for name, app in get_commands().items() if app in OURS))
def test_every_command_is_named_in_the_documentation(name: str) -> None:
    pages = [OPERATING, *(page.read_text() for page in (ROOT / "docs").glob("*.md"))]

    assert any(name in page for page in pages)


PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("document", PAGES, ids=str)
def test_links_between_the_pages_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_tests_that_pages_name_are_there() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    files = list((ROOT / "tests").rglob("test_*.py"))
    known = {file.name for file in files}
    known |= {name for file in files for name in re.findall(r"^def (test_\w+)\(", file.read_text(), re.M)}

    assert set(re.findall(r"\btest_\w+(?:\.py)?", text)) <= known


def test_what_the_compose_file_sets_are_settings_we_read() -> None:
    compose = yaml.safe_load((ROOT / "deploy" / "docker-compose.yml").read_text())

    assert {"web", "worker", "tick", "nginx", "postgres", "redis", "prepare"} == set(compose["services"])
    assert set(compose["services"]["web"]["environment"]) <= settings_read()
    assert compose["services"]["worker"]["command"].startswith("celery --app newsroom worker")


@pytest.mark.parametrize("unit", sorted((ROOT / "deploy").glob("*.service")), ids=lambda unit: unit.name)
def test_units_start_programs_with_names_we_have(unit: Path) -> None:
    text = unit.read_text()

    assert "[Service]" in text
    for module in re.findall(
        r"(?:python:|--app )?(newsroom\.\w+)", text.split("ExecStart=")[1].splitlines()[0]
    ):
        assert (ROOT / (module.replace(".", "/") + ".py")).exists()


def test_the_example_settings_of_a_server_are_settings_we_read() -> None:
    lines = (ROOT / "deploy" / "newsroom.env").read_text().splitlines()

    assert {line.split("=")[0] for line in lines if line and not line.startswith("#")} <= settings_read()


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
@pytest.mark.parametrize("name", ["nginx.conf", "nginx-compose.conf"])
def test_nginx_understands_its_configuration(name: str, tmp_path: Path) -> None:
    certificate(tmp_path)
    for file in (name, "newsroom_proxy.conf"):
        text = (ROOT / "deploy" / file).read_text()
        text = text.replace("/etc/nginx/newsroom_proxy.conf", str(tmp_path / "newsroom_proxy.conf"))
        text = text.replace("/etc/letsencrypt/live/news.example", str(tmp_path))
        # nginx takes the addresses to try them: not everybody may have port 80, nor has IPv6.
        text = re.sub(r"listen (\[::\]:)?\d+", lambda _: f"listen 127.0.0.1:{free_port()}", text)
        (tmp_path / file).write_text(text)
    temporary = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "whole.conf").write_text(
        f"pid {tmp_path}/pid; events {{}} http {{ access_log off; {temporary} include {tmp_path / name}; }}"
    )

    command = ["nginx", "-t", "-c", str(tmp_path / "whole.conf"), "-g", f"error_log {tmp_path}/error;"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def certificate(folder: Path) -> None:
    """A key and a certificate of our own, for nginx to read."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "news.example")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
