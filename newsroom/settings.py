"""All settings, read from the environment; every value has a default that runs on one machine.

`newsroom/checks.py` stops the start when a value is wrong and says what to set.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from articles import cdn, editor, indexnow
from newsroom import environment as env
from newsroom import logs

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = env.folder("VAR_DIR", default=BASE_DIR / "var")


def _local_secret(path: Path) -> str:
    """The key of a machine that was given none, made once and readable by its owner alone."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(64))
    return path.read_text().strip()


DEBUG = env.flag("DEBUG")
_PORT = env.number("PORT", default=8000, most=65535)
SITE_URL = env.text("SITE_URL", default=f"http://127.0.0.1:{_PORT}").rstrip("/")
SITE_HOST = urlsplit(SITE_URL).hostname or "localhost"
SITE_NAME = env.text("SITE_NAME", default="Newsroom")
HTTPS = SITE_URL.startswith("https://")
SECRET_KEY = env.text("SECRET_KEY") or _local_secret(VAR_DIR / "secret_key")
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", default=sorted({SITE_HOST, "127.0.0.1", "localhost", "[::1]"}))
CSRF_TRUSTED_ORIGINS = [SITE_URL]

OIDC_SERVER_URL = env.address(
    "OIDC_SERVER_URL", schemes=("https", "http"), example="https://id.example/realms/news"
)
_SINGLE_SIGN_ON = [
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]

INSTALLED_APPS = [
    "taggit",
    "auditlog",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    *(_SINGLE_SIGN_ON if OIDC_SERVER_URL else []),
    "newsroom.apps.NewsroomConfig",
    "readers.apps.ReadersConfig",
    "moderation.apps.ModerationConfig",
    "aggregator.apps.AggregatorConfig",
    "articles.apps.ArticlesConfig",
    "accounts.apps.AccountsConfig",
    "ckeditor",
    "csp",
    "newsroom.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "newsroom.apps.StaticFilesConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "newsroom.middleware.spoken_language",
    "newsroom.middleware.ContentPolicy",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "newsroom.middleware.privacy_headers",
    "newsroom.middleware.known_methods",
    "newsroom.middleware.ledger_gate",
    "newsroom.middleware.database_gate",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "newsroom.sessions.staff_sessions",
    "newsroom.middleware.second_factor_gate",
    "newsroom.audit.trail",
]

ROOT_URLCONF = "newsroom.urls"
WSGI_APPLICATION = "newsroom.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "newsroom.context.site",
            ],
        },
    },
]

# --- database ---------------------------------------------------------------------------------

DATABASES = {"default": env.database("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'newsroom.sqlite3'}")}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: a transaction that will write takes its lock at the start, so two of them queue
    # instead of failing. FULL: what was acknowledged to a rights owner has reached the disk.
    _database.setdefault("OPTIONS", {}).update(
        {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA secure_delete=ON;PRAGMA foreign_keys=ON;"
                # SQLite's own cache stays at its 2 MB, and nothing is mapped: each thread has a connection, and
                # the system keeps the file in memory for all of them.
                "PRAGMA temp_store=MEMORY;PRAGMA journal_size_limit=67108864"
            ),
        }
    )
    _database["CONN_MAX_AGE"] = None
else:
    _database.setdefault("CONN_MAX_AGE", 300)
    _database["CONN_HEALTH_CHECKS"] = True
    # A server that cannot be reached is an answer of 503, not a process that waits for it for minutes.
    _database["OPTIONS"] = {"connect_timeout": 10, "tcp_user_timeout": 10_000} | _database.get("OPTIONS", {})
    # A pooler in front may give each transaction another connection.
    _database["DISABLE_SERVER_SIDE_CURSORS"] = True
_replicas = env.databases("REPLICA_URLS")
# Copies that may lag, asked for candidates alone (articles/replicas.py).
REPLICAS = [f"replica{number}" for number, _ in enumerate(_replicas, 1)]
for _alias, _replica in zip(REPLICAS, _replicas, strict=True):
    _replica.setdefault("OPTIONS", {})["options"] = (
        "-c default_transaction_read_only=on -c statement_timeout=2000"
    )
    _replica["OPTIONS"].setdefault("connect_timeout", 2)
    DATABASES[_alias] = _replica | {"CONN_MAX_AGE": 300, "TEST": {"MIRROR": "default"}}
DATABASE_ROUTERS = ["articles.replicas.PrimaryAlone"]

REDIS_URL = env.address("REDIS_URL", schemes=("redis", "rediss", "unix"), example="redis://127.0.0.1:6379/0")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# --- language and time ------------------------------------------------------------------------

# The pages without a language in their address speak the first one; articles/interface.py.
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
    ("uk", "Українська"),
    ("ar", "العربية"),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.zone("TIME_ZONE", default="UTC")
USE_I18N = True
FORMAT_MODULE_PATH = "newsroom.formats"
USE_TZ = True

# --- files ------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Where ready pages are published as files for nginx; empty: nowhere. One folder for all processes.
PAGES_DIR = env.text("PAGES_DIR")
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
STORAGE_URL = env.bucket("STORAGE_URL")
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "newsroom.static.StaticStorage"},
}
if STORAGE_URL:
    STORAGES["default"] = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": STORAGE_URL}
WHITENOISE_MAX_AGE = 300
# Backups: where the worker keeps them, for whom they are enciphered, how often, and for how long.
BACKUP_PLACE = env.backup_place("BACKUP_URL")
BACKUP_KEYS = env.keys("BACKUP_KEY")
BACKUP_EVERY_HOURS = env.number("BACKUP_EVERY_HOURS", default=24, most=24 * 30) or 24
BACKUP_KEPT_DAYS = env.number("BACKUP_KEPT_DAYS", default=35, most=3650)
DATA_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

# --- mail -------------------------------------------------------------------------------------

EMAIL = env.mail("EMAIL_URL", default=f"filemail:///{VAR_DIR / 'mail'}")
EMAIL_BACKEND = EMAIL["EMAIL_BACKEND"]
EMAIL_FILE_PATH = EMAIL["EMAIL_FILE_PATH"] if EMAIL_BACKEND.endswith("filebased.EmailBackend") else None
EMAIL_HOST = EMAIL["EMAIL_HOST"] or "localhost"
EMAIL_PORT = EMAIL["EMAIL_PORT"] or 25
EMAIL_HOST_USER = EMAIL["EMAIL_HOST_USER"] or ""
EMAIL_HOST_PASSWORD = EMAIL["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS = EMAIL.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = EMAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20
# A site without a name of its own (an address in digits, localhost) gets one that nobody can own.
_MAIL_DOMAIN = (
    SITE_HOST if SITE_HOST.rpartition(".")[2].isalpha() and "." in SITE_HOST else "newsroom.example"
)
REMOVAL_EMAIL = env.mailbox_name("REMOVAL_EMAIL", default=f"removal@{_MAIL_DOMAIN}")
DEFAULT_FROM_EMAIL = REMOVAL_EMAIL
SERVER_EMAIL = REMOVAL_EMAIL
MAILBOX_URL = env.address(
    "MAILBOX_URL", schemes=("imap", "imaps"), example="imaps://user:password@mail.example:993/INBOX"
)
# Who is asked for DKIM keys and proofs of a domain, as address:port; empty: the system's resolver.
DNS_RESOLVER = env.text("DNS_RESOLVER")

# --- the promise ------------------------------------------------------------------------------

# Elapsed hours from a notice's arrival to the moment it takes effect without any decision. The
# promise is 24; the hour between is for clocks that disagree.
PROMISE_HOURS = 24
HOLD_AFTER_HOURS = 23
# After a case is closed: half a year in which its decision can be complained of, and half a year to show what was done.
NOTICE_KEPT_DAYS = env.number("NOTICE_KEPT_DAYS", default=368, most=3650)
LEDGER_PATH = Path(env.text("LEDGER_PATH") or VAR_DIR / "ledger" / "ledger.jsonl")

# --- the network outside ----------------------------------------------------------------------

FETCH_ALLOW_NETWORKS = env.networks("FETCH_ALLOW_NETWORKS")
FETCH_HOST_SECONDS = env.number("FETCH_HOST_SECONDS", default=1, most=3600)
FETCH_USER_AGENT = f"Newsroom/1.0 (+{SITE_URL}/rights/)"
WEB_WORKERS = env.number("WEB_WORKERS", default=0, most=256)
# Who keeps copies of pages in front of the site and for how long at most; nobody unless named (docs/operating.md).
CDN = env.named("CDN_URL", cdn.read, example="varnish://10.0.0.5:6081 or fastly://TOKEN@SERVICE")
CDN_SECONDS = env.number("CDN_SECONDS", default=60, most=3600)
# Who passes our feeds on to those who subscribed there (WebSub); empty: nobody.
WEBSUB_HUB = env.address("WEBSUB_HUB", schemes=("http", "https"), example="https://hub.example/")
INDEXNOW = env.named("INDEXNOW_URL", indexnow.read, example="https://KEY@indexnow.example/indexnow")
RDAP_URL = env.address("RDAP_URL", schemes=("http", "https"), example="https://rdap.example/")
WORK_ENGINE = env.choice("WORK_ENGINE", default="embedded", among=("embedded", "celery"))
METRICS_TOKEN = env.text("METRICS_TOKEN")

# --- security ---------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 63_072_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
# At the desk (newsroom/sessions.py): signed out when idle for so long, and after so long in any case.
STAFF_IDLE_MINUTES = env.number("STAFF_IDLE_MINUTES", default=60, most=24 * 60) or 60
STAFF_SESSION_HOURS = env.number("STAFF_SESSION_HOURS", default=12, most=24 * 30) or 12
SESSION_COOKIE_AGE = STAFF_SESSION_HOURS * 3600
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
CSRF_FAILURE_VIEW = "newsroom.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
# No script of a public page may turn text into markup, not even ours.
TRUSTED_TYPES = {"require-trusted-types-for": ["'script'"], "trusted-types": [NONE]}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "report-uri": "/csp-reports",
        **TRUSTED_TYPES,
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    feature: []
    for feature in (
        "accelerometer", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope",
        "magnetometer", "microphone", "midi", "payment", "usb", "xr-spatial-tracking",
    )
}  # fmt: skip
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "newsroom.passwords.NotLeaked"},
    {"NAME": "newsroom.passwords.NotOfThisPlace"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
STAFF_SECOND_FACTOR = env.flag("STAFF_SECOND_FACTOR")
ACCOUNT_ADAPTER = "newsroom.identity.DeskAccounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "admin:login"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
MFA_ADAPTER = "newsroom.identity.SecondFactors"
MFA_FORMS = {"authenticate": "newsroom.sign_in.CodeForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = SITE_NAME
# A phone's clock may be half a minute off.
MFA_TOTP_TOLERANCE = 1
# Browsers allow passkeys on http for localhost alone.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
OIDC_NAME = env.text("OIDC_NAME", default="Single sign-on")
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "sso",
                "name": OIDC_NAME,
                "client_id": env.text("OIDC_CLIENT_ID"),
                "secret": env.text("OIDC_CLIENT_SECRET"),
                "settings": {"server_url": OIDC_SERVER_URL},
            }
        ],
    }
}
# Whom the provider vouches for by a verified address signs in as the account that has that address here.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True

# Who changed what, from where: forgotten after so many days.
AUDIT_KEPT_DAYS = env.number("AUDIT_KEPT_DAYS", default=400, most=3650)
AUDITLOG_STORE_JSON_CHANGES = False

# --- libraries --------------------------------------------------------------------------------

# An address typed without a scheme is https; Django 6 does that by itself.
FORMS_URLFIELD_ASSUME_HTTPS = True
TAGGIT_CASE_INSENSITIVE = True
CKEDITOR_CONFIGS = {"default": editor.configuration()}
# The package says at every command that CKEditor 4 is old; newsroom.checks holds the line instead:
# it fails when the hardened configuration or the sanitiser is not in force.
SILENCED_SYSTEM_CHECKS = ["ckeditor.W001"]

# --- the log ----------------------------------------------------------------------------------

LOG_REQUESTS = env.flag("LOG_REQUESTS")
LOGGING = logs.configuration(
    level=env.choice("LOG_LEVEL", default="INFO", among=env.LOG_LEVELS),
    form=env.choice("LOG_FORMAT", default="line", among=("line", "json")),
)
SENTRY_DSN = env.address("SENTRY_DSN", schemes=("http", "https"), example="https://key@errors.example/1")
OTEL_EXPORTER_OTLP_ENDPOINT = env.address(
    "OTEL_EXPORTER_OTLP_ENDPOINT", schemes=("http", "https"), example="http://127.0.0.1:4318"
)
