"""The one spelling of an address under which we know an article."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import idna

if TYPE_CHECKING:
    from tldextract import TLDExtract

MAX_LENGTH = 2_000
LONGEST_HOST = 253
MAX_REDIRECTORS = 5

_HOST = re.compile(r"https?://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/:?#]*)", re.I)
# An address that is spelled the one way already: nothing in it to escape, to resolve or to look up.
_PLAIN = re.compile(
    r"https?://([a-z0-9\-]+(?:\.[a-z0-9\-]+)*)"
    r"((?:/[A-Za-z0-9_\-~][A-Za-z0-9_\-~.]*)*+/?)(?:\?([A-Za-z0-9_\-~.=&/]*))?"
)
_ABSOLUTE = re.compile(r"([a-z][a-z0-9+.\-]*):", re.I)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
HALF = re.compile("[\ud800-\udfff]")
_FORBIDDEN = re.compile(r'[\s"<>\\^`{|}]')
_PERCENT = re.compile(r"%([0-9a-fA-F]{2})?")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PATH_SAFE = "/:@!$&'()*+,;=~-._%"
_QUERY_SAFE = _PATH_SAFE + "?"

# Blog platforms that the list of public suffixes leaves out: each name under them is somebody else's site.
_SHARED_HOSTS = (
    "beehiiv.com",
    "blogg.se",
    "canalblog.com",
    "dreamwidth.org",
    "exblog.jp",
    "ghost.io",
    "hypotheses.org",
    "libsyn.com",
    "livejournal.com",
    "medium.com",
    "micro.blog",
    "noblogs.org",
    "over-blog.com",
    "podbean.com",
    "squarespace.com",
    "substack.com",
    "tumblr.com",
    "typepad.com",
    "weebly.com",
    "wordpress.com",
    "write.as",
)

# What counts visits and never chooses the page. `id`, `p`, `page` and the like are not for this list.
_TRACKING_PREFIXES = (
    *("utm_", "mc_", "at_", "ns_", "hsa_", "pk_", "piwik_", "mtm_", "matomo_", "stm_", "itm_", "wt_", "wt."),
    *("vero_", "oly_", "__hs", "_hs", "ga_", "fb_"),
)
_TRACKING_NAMES = frozenset(
    {
        "fbclid",
        "gclid",
        "gclsrc",
        "dclid",
        "gbraid",
        "wbraid",
        "msclkid",
        "yclid",
        "ymclid",
        "twclid",
        "ttclid",
    }
    | {
        "igshid",
        "igsh",
        "li_fat_id",
        "mkt_tok",
        "ito",
        "cmp",
        "cmpid",
        "icid",
        "ncid",
        "ocid",
        "smid",
        "smtyp",
    }
    | {"ref_src", "ref_url", "wtrid", "xtor", "s_kwcid", "s_cid", "ftcamp", "spm", "_ga", "_gl", "wickedid"}
    | {"rb_clickid", "sr_share", "guccounter", "guce_referrer", "guce_referrer_sig", "soc_src", "soc_trk"}
    | {"mbid", "taid", "__twitter_impression", "wprov", "traffic_source"}
)
_AMP_PARAMETERS = frozenset({"amp", "outputtype", "amp_js_v", "amp_gsa", "usqp"})
_AMP_BEGINNING = re.compile(r"^(?:/amp)+(?=/.)", re.I)
_AMP_ENDING = re.compile(r"(?:(?<=.)/amp(?:\.html)?|(?<=[^/.])\.amp)+(\.html)?/?$", re.I)
_SESSION = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/;]*", re.I)
_SAME_PAGE_HOSTS = frozenset({"www", "m", "mobile", "mobil", "touch", "amp"})

# Hosts whose pages only lead on, and the parameter that says where to.
_REDIRECTORS: tuple[tuple[re.Pattern[str], re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"(?:www|news)\.google\.[a-z.]{2,6}"), re.compile(r"/(?:url|news/url)"), ("url", "q")),
    (re.compile(r"lm?\.facebook\.com"), re.compile(r"/l\.php"), ("u",)),
    (re.compile(r"l\.instagram\.com"), re.compile(r"/?"), ("u",)),
    (re.compile(r"(?:www\.)?youtube\.com"), re.compile(r"/redirect"), ("q",)),
    (re.compile(r"out\.reddit\.com"), re.compile(r"/.*"), ("url",)),
    (re.compile(r"(?:vk|away\.vk)\.com"), re.compile(r"/away\.php"), ("to",)),
    (re.compile(r"(?:www\.)?linkedin\.com"), re.compile(r"/redir/redirect"), ("url",)),
    (re.compile(r"steamcommunity\.com"), re.compile(r"/linkfilter/?"), ("url", "u")),
    (re.compile(r"(?:www\.)?bing\.com"), re.compile(r"/news/apiclick\.aspx"), ("url",)),
    (re.compile(r"(?:www\.)?duckduckgo\.com"), re.compile(r"/l/?"), ("uddg",)),
)
_AMP_CACHE_HOST = re.compile(r"[a-z0-9\-]+\.cdn\.ampproject\.org|cdn\.ampproject\.org")
_AMP_CACHE_PATH = re.compile(r"/[a-z]/(s/)?(?:[a-z]/)?([^/]+\.[^/]+.*)", re.I)
_AMP_VIEWER_PATH = re.compile(r"/amp/(s/)?([^/]+\.[^/]+.*)", re.I)


class NotAnAddress(ValueError):
    """The text is not an http(s) address under which a page could be found."""


def canonical_url(url: str) -> str:
    """The one spelling of an address under which we know an article.

    A key, not a link: scheme, "www." and the mobile host are folded, and a server
    need not answer there, so keep the address as given beside it. Raises NotAnAddress, with words for an
    editor, for what is no web address.
    """
    for _ in range(MAX_REDIRECTORS):
        host, port, path, query, fragment = _split(url)
        # A folded address may be one that only leads on: what it is spelled as must spell itself.
        target = _target(host, path, query) or _folded_target(host, path, query)
        if target is None:
            break
        url = target
    spelled = f"https://{_plain_host(host)}{port}{_plain_path(path)}"
    if kept := _without_tracking(query):
        spelled += f"?{kept}"
    # The page behind "#!" is chosen by the fragment; any other only scrolls.
    return f"{spelled}#{_escape(fragment, _QUERY_SAFE)}" if fragment.startswith("!") else spelled


def readable_url(url: str) -> str:
    """The address to send a reader to: as given, without what counts visits and without pages that only lead on.

    It stays an address under which its server answers. Raises NotAnAddress as `canonical_url` does.
    """
    for _ in range(MAX_REDIRECTORS):
        host, _, path, query, _ = _split(url)
        target = _target(host, path, query)
        if target is None:
            break
        url = target
    url = url.strip(" \t\r\n\f")
    bare, mark, fragment = url.partition("#")
    bare, asked, query = bare.partition("?")
    kept = "&".join(part for part in query.split("&") if not _counts_visits(part))
    counts = all(_counts_visits(part) for part in fragment.split("&"))
    found = bare + (asked + kept if kept else "") + (mark + fragment if fragment and not counts else "")
    # Feeds write them as they are; our own feeds and pages may not.
    return _FORBIDDEN.sub(lambda one: quote(one[0]), found)


def address_key(url: str) -> str:
    """The hash of the canonical address: what is left to recognise an article by when nothing else may be kept."""
    return hashlib.sha256(canonical_url(url).encode("ascii")).hexdigest()


@lru_cache(maxsize=4096)
def registrable_domain(host: str) -> str:
    """The part of a host name that somebody registered; the host itself where nobody can (an IP address, localhost)."""
    host = host.strip().rstrip(".").lower()
    return _registered(host) or host


def _registered(host: str) -> str:
    parts = _suffixes()(host)
    if parts.suffix or parts.ipv4 or parts.ipv6:
        return parts.top_domain_under_public_suffix
    # A top level that the list does not know is a public suffix by the list's own rule.
    labels = host.split(".")
    return ".".join(labels[-2:]) if len(labels) > 1 else ""


@lru_cache(maxsize=1)
def _suffixes() -> TLDExtract:
    """The list bundled with the library: no network, no cache on disk. A process that only answers readers does
    without it.
    """
    import tldextract

    return tldextract.TLDExtract(
        cache_dir=None,
        suffix_list_urls=(),
        include_psl_private_domains=True,
        extra_suffixes=_SHARED_HOSTS,
    )


def domain_of(url: str) -> str:
    """The registrable domain of an address; nothing for what is none."""
    match = _HOST.match(url)
    return registrable_domain(match[1].strip("[]")) if match else ""


def same_site(a: str, b: str) -> bool:
    """Whether both addresses lie under one registered domain. What is no address is on no site."""
    try:
        first, second = (registrable_domain(_split(url)[0]) for url in (a, b))
    except NotAnAddress:
        return False
    return first == second


@lru_cache(maxsize=1024)
def _split(url: str) -> tuple[str, str, str, str, str]:
    """Host, ":port" or nothing, path, query and fragment, each spelled the one way."""
    plain = _PLAIN.fullmatch(url[: MAX_LENGTH + 1])
    if plain and len(url) <= MAX_LENGTH and len(plain[1]) <= LONGEST_HOST:
        return plain[1], "", plain[2] or "/", plain[3] or "", ""
    url = _checked(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotAnAddress(f"the host or port cannot be read: {error}") from error
    if "@" in parts.netloc:
        raise NotAnAddress("an address with a user name or password in it is not accepted")
    if "]" in parts.netloc and not re.search(r"\](?::\d*)?$", parts.netloc):
        raise NotAnAddress("the host or port cannot be read: something follows the bracket")
    host = _host(parts.hostname or "")
    spoken_port = "" if port in (None, 80, 443) else f":{port}"
    path = _resolved(_SESSION.sub("", _escape(parts.path, _PATH_SAFE)))
    return host, spoken_port, path, _escape(parts.query, _QUERY_SAFE), parts.fragment


def _checked(url: str) -> str:
    url = url.strip(" \t\r\n\f")
    if not url:
        raise NotAnAddress("the address is empty")
    if len(url) > MAX_LENGTH:
        raise NotAnAddress(f"the address is longer than {MAX_LENGTH} characters")
    if _CONTROL.search(url):
        raise NotAnAddress("the address contains a line break or a control character")
    if not url.isascii() and HALF.search(url):
        raise NotAnAddress("the address contains half a character")
    scheme = _ABSOLUTE.match(url)
    if scheme is None or scheme[1].lower() not in ("http", "https"):
        raise NotAnAddress("the address must begin with http:// or https://")
    # Browsers read a backslash as a slash; so must we, or the host could differ from what they open.
    if "\\" in url:
        head, mark, tail = re.split(r"([?#]|$)", url, maxsplit=1)
        url = head.replace("\\", "/") + mark + tail
    if not url.startswith("//", scheme.end()):
        raise NotAnAddress("the address has no host")
    return url


@lru_cache(maxsize=4096)
def _host(host: str) -> str:
    host = unquote(host).rstrip(".").lower()
    if not host:
        raise NotAnAddress("the address has no host")
    if ":" in host:
        if "%" in host:
            raise NotAnAddress("an address of one network card is no web address")
        try:
            return f"[{ipaddress.IPv6Address(host).compressed}]"
        except ValueError as error:
            raise NotAnAddress("the number between the brackets is no IPv6 address") from error
    if len(host) > LONGEST_HOST:
        raise NotAnAddress("the host name is too long")
    if host.isascii():
        if not re.fullmatch(r"[a-z0-9_\-]+(?:\.[a-z0-9_\-]+)*", host):
            raise NotAnAddress("the host name contains characters that no host name has")
        return host
    try:
        return idna.encode(host, uts46=True, transitional=False).decode("ascii")
    except idna.IDNAError as error:
        raise NotAnAddress(f"the host name cannot be written in ASCII: {error}") from error


def _escape(text: str, safe: str) -> str:
    """Percent signs in upper case and only where they are needed; all else that is not ASCII in UTF-8."""

    def spelled(found: re.Match[str]) -> str:
        if not found[1]:
            return "%25"
        byte = int(found[1], 16)
        return chr(byte) if byte in _UNRESERVED else f"%{byte:02X}"

    return quote(_PERCENT.sub(spelled, text) if "%" in text else text, safe=safe)


def _resolved(path: str) -> str:
    """The path without dot segments and doubled slashes."""
    if path.startswith("/") and "//" not in path and "/." not in path:
        return path
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            if kept:
                kept.pop()
        elif segment and segment != ".":
            kept.append(segment)
    ends_in_slash = path.endswith(("/", "/.", "/.."))
    return "/" + "/".join(kept) + ("/" if kept and ends_in_slash else "")


def _target(host: str, path: str, query: str) -> str | None:
    """Where a page that only leads on leads to; None when it is the page itself, or does not say."""
    if not _leads_on(host):
        return None
    if _AMP_CACHE_HOST.fullmatch(host) and (cached := _AMP_CACHE_PATH.fullmatch(path)):
        return _readable(f"https://{cached[2]}{f'?{query}' if query else ''}")
    if re.fullmatch(r"(?:www\.)?google\.[a-z.]{2,6}", host) and (viewed := _AMP_VIEWER_PATH.fullmatch(path)):
        return _readable(f"https://{viewed[2]}{f'?{query}' if query else ''}")
    for hosts, paths, names in _REDIRECTORS:
        if hosts.fullmatch(host) and paths.fullmatch(path):
            given = dict(reversed(parse_qsl(query)))
            return next((found for name in names if (found := _readable(given.get(name, "")))), None)
    return None


def _folded_target(host: str, path: str, query: str) -> str | None:
    host = _plain_host(host)
    return _target(host, _plain_path(path), query) if _leads_on(host) else None


@lru_cache(maxsize=4096)
def _leads_on(host: str) -> bool:
    """Whether pages of this host may only lead on to others."""
    is_viewer = re.fullmatch(r"(?:www\.)?google\.[a-z.]{2,6}", host) or _AMP_CACHE_HOST.fullmatch(host)
    return bool(is_viewer) or any(hosts.fullmatch(host) for hosts, _, _ in _REDIRECTORS)


def _readable(url: str) -> str | None:
    """The address if it is one, so that a redirector with nothing sensible in it stays the address itself."""
    try:
        _split(url)
    except NotAnAddress:
        return None
    return url


@lru_cache(maxsize=4096)
def _plain_host(host: str) -> str:
    """The host without labels under which the same pages are served to other screens."""
    label, _, rest = host.partition(".")
    while label in _SAME_PAGE_HOSTS and _registered(rest):
        host = rest
        label, _, rest = host.partition(".")
    return host


def _plain_path(path: str) -> str:
    if "amp" not in path.lower():
        return path.rstrip("/") or "/"
    shorter = _AMP_ENDING.sub(r"\1", _AMP_BEGINNING.sub("", path))
    while shorter != path:
        path, shorter = shorter, _AMP_ENDING.sub(r"\1", shorter)
    return path.rstrip("/") or "/"


def _without_tracking(query: str) -> str:
    """The parameters that choose the page, in the order given: some sites read them by position."""
    return "&".join(part for part in query.split("&") if part and not _is_tracking(part))


def _is_tracking(part: str) -> bool:
    name, _, value = part.partition("=")
    name = unquote(name).lower()
    if name in _AMP_PARAMETERS:
        return name != "outputtype" or value.lower() == "amp"
    return _counts_visits(name)


@lru_cache(maxsize=8192)
def _counts_visits(part: str) -> bool:
    name = unquote(part.partition("=")[0]).lower()
    return name in _TRACKING_NAMES or name.startswith(_TRACKING_PREFIXES)
