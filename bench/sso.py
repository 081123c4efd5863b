"""Signing in at the desk through a provider that somebody else wrote: npm's oidc-provider, with code and PKCE.

Each row is 1 when it came out as it has to.
"""

from __future__ import annotations

import http.cookiejar
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

from bench.growth import collect_static
from bench.room import is_open, wait_for
from bench.scratch import free_port, prepare, print_rows, running, site_command

HERE = Path(__file__).resolve().parent
_FORM = re.compile(r"<form[^>]*action=\"([^\"]*)\"[^>]*>(.*?)</form>", re.DOTALL)
_FIELD = re.compile(r"<input[^>]*>")
_NAME, _VALUE = re.compile(r"\sname=\"([^\"]*)\""), re.compile(r"\svalue=\"([^\"]*)\"")


def main() -> None:
    site, provider = free_port(), free_port()
    address = f"http://127.0.0.1:{site}"
    os.environ |= {
        "SITE_URL": address,
        "PORT": str(site),
        "OIDC_SERVER_URL": f"http://127.0.0.1:{provider}",
        "OIDC_CLIENT_ID": "newsroom",
        "OIDC_CLIENT_SECRET": "a secret between the two",
    }
    folder = prepare()
    collect_static()
    make_people()
    gunicorn = site_command()
    callback = f"{address}/admin/account/oidc/sso/login/callback/"
    with served(folder, provider, callback) as log, running(site, *gunicorn):
        rows = [
            ("somebody with an account here is in", signs_in(address, "editor")),
            ("somebody whose address is not verified is not", not signs_in(address, "unverified")),
            ("somebody without an account is not", not signs_in(address, "stranger")),
            ("a forged callback is not", not forged(address)),
            ("the code was given for a verifier each time", log.read_text().count("verifier=true") == 3),
        ]
    print_rows(*((what, float(holds), "") for what, holds in rows))
    if not all(holds for _, holds in rows):
        raise SystemExit("Broken: " + ", ".join(what for what, holds in rows if not holds))


def make_people() -> None:
    from accounts.models import User

    for name in ("editor", "unverified"):
        User.objects.create_user(name, f"{name}@newsroom.example", "a password nobody types", is_staff=True)


@contextmanager
def served(folder: Path, port: int, callback: str) -> Iterator[Path]:
    """The provider, where script/bench installed it; yields its log."""
    home, log = Path(os.environ["BENCH_PROVIDER"]), folder / "provider.log"
    shutil.copy(HERE / "provider.mjs", home)
    environment = os.environ | {"PROVIDER_PORT": str(port), "REDIRECT_URI": callback}
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["node", "provider.mjs"],
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
        try:
            wait_for(lambda: is_open(port), 30)
            yield log
        finally:
            process.terminate()
            process.wait(timeout=30)


# --- a browser, as far as forms and redirects go ------------------------------------------------


def visitor() -> urllib.request.OpenerDirector:
    jar = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(rfc2965=True))
    return urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))


def ask(
    browser: urllib.request.OpenerDirector, address: str, fields: dict[str, str] | None = None
) -> tuple[str, str]:
    """The address at the end of all redirects, and its page."""
    data = urllib.parse.urlencode(fields).encode() if fields is not None else None
    request = urllib.request.Request(address, data=data, headers={"Referer": address})
    try:
        with browser.open(request, timeout=30) as answer:
            return answer.url, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.url or address, answer.read().decode(errors="replace")


def send(
    browser: urllib.request.OpenerDirector, address: str, page: str, which: str, **typed: str
) -> tuple[str, str]:
    """Fill in the form whose address has `which` in it, and send it."""
    action, inside = next((unescape(a), body) for a, body in _FORM.findall(page) if which in a)
    named = [(_NAME.search(field), _VALUE.search(field)) for field in _FIELD.findall(inside)]
    fields = {name[1]: unescape(value[1]) if value else "" for name, value in named if name} | typed
    return ask(browser, urllib.parse.urljoin(address, action), fields)


def signs_in(site: str, name: str) -> bool:
    """From the desk's own page to the provider and back. Is the desk open then?"""
    browser = visitor()
    where, page = ask(browser, f"{site}/admin/login/")
    where, page = send(browser, where, page, "/oidc/sso/login/")
    where, page = send(browser, where, page, "/interaction/", login=name, password="any")
    if "/interaction/" in where:
        where, page = send(browser, where, page, "/interaction/")
    end, _ = ask(browser, f"{site}/admin/")
    return end == f"{site}/admin/"


def forged(site: str) -> bool:
    """A callback with a code and a state that nobody here asked for."""
    browser = visitor()
    ask(browser, f"{site}/admin/account/oidc/sso/login/callback/?code=stolen&state=guessed")
    end, _ = ask(browser, f"{site}/admin/")
    return end == f"{site}/admin/"


if __name__ == "__main__":
    main()
