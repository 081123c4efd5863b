"""What a rights owner types: is it well-formed? What is legally missing does not refuse it; the letter says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from moderation.letters import LANGUAGES
from moderation.models import Ground

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ROLES = [
    ("", _("Please choose")),
    ("owner", _("I own the rights")),
    ("agent", _("I act for the owner")),
    ("author", _("I wrote or made it")),
    ("concerned", _("It is about me")),
    ("other", _("Something else")),
]

GROUNDS = [(value, _(label)) for value, label in Ground.choices]


def _text(
    label: StrOrPromise, *, help_text: StrOrPromise = "", rows: int = 4, longest: int | None = None
) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, help_text=help_text, required=False, widget=area, max_length=longest)


def _line(
    label: StrOrPromise,
    autocomplete: str,
    *,
    help_text: StrOrPromise = "",
    longest: int = 200,
    missing: StrOrPromise | None = None,
) -> forms.CharField:
    """One line; needed when `missing` says what to do without it."""
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=missing is not None,
        widget=forms.TextInput(attrs={"autocomplete": autocomplete}),
        max_length=longest,
        error_messages={"required": missing} if missing is not None else None,
    )


def _mailbox(help_text: StrOrPromise) -> forms.EmailField:
    return forms.EmailField(
        label=_("Your e-mail address"),
        help_text=help_text,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": _("Give an e-mail address. Without one we cannot answer you."),
            "invalid": _("This does not look like an e-mail address. It should read like name@example.org."),
        },
    )


class DescribedForm(forms.Form):
    """A form whose fields say to assistive technology where their help and their errors stand."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if field.help_text:
                field.widget.attrs["aria-describedby"] = f"id_{name}_help"

    def mark_errors(self) -> None:
        """Tell assistive technology which fields have an error and where it stands."""
        for name in self.errors:
            if name in self.fields:
                attrs = self.fields[name].widget.attrs
                attrs["aria-invalid"] = "true"
                attrs["aria-describedby"] = f"id_{name}_error {attrs.get('aria-describedby', '')}".strip()


class StatementForm(DescribedForm):
    """The parts of a notice that may be added later, on the page of the case."""

    name = _line(_("Your full name"), "name")
    role = forms.ChoiceField(label=_("What you are to the work"), choices=ROLES, required=False)
    rights_holder = _line(
        _("Who owns the rights"), "organization", help_text=_("The person or company, if it is not you.")
    )
    ground = forms.ChoiceField(label=_("On what right you rely"), choices=GROUNDS, required=False)
    work = _text(
        _("The work"), help_text=_("What was taken: title, author, when it appeared."), longest=10_000
    )
    original_urls = _text(
        _("Where the original is"), help_text=_("One address a line."), rows=3, longest=10_000
    )
    explanation = _text(_("Why it should go"), help_text=_("In your own words."), longest=20_000)
    address = forms.CharField(
        label=_("Your postal address"),
        required=False,
        max_length=1000,
        help_text=_("Needed for a notice under United States law (DMCA). We do not publish it."),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
    )
    phone = forms.CharField(
        label=_("Your telephone number"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"}),
    )
    good_faith = forms.BooleanField(
        label=_("I believe in good faith that this use is not allowed by the owner, its agent or the law."),
        required=False,
    )
    accurate = forms.BooleanField(
        label=_(
            "What I say here is accurate, and, under penalty of perjury, I am the owner or may act for the owner."
        ),
        required=False,
    )
    signature = _line(_("Your signature"), "off", help_text=_("Your full name, typed, is enough."))

    def clean_ground(self) -> str:
        return str(self.cleaned_data.get("ground") or Ground.COPYRIGHT)


class NoticeForm(StatementForm):
    """The whole removal form. Needed: what to remove, and a mailbox to answer to. All else can follow."""

    field_order = ["urls", "email", "name"]

    urls = forms.CharField(
        label=_("The addresses"),
        strip=False,
        help_text=_(
            "Addresses on this site or of your originals: one a line, a table, or your whole letter."
        ),
        widget=forms.Textarea(attrs={"rows": 7, "spellcheck": "false", "autocapitalize": "off"}),
        error_messages={"required": _("Name at least one address, so that we know what this is about.")},
    )
    email = _mailbox(_("We write to it once, to make sure that it is yours. We do not publish it."))
    language = forms.ChoiceField(
        label=_("We write to you in"), choices=list(LANGUAGES.items()), required=False
    )

    def clean_urls(self) -> str:
        urls = str(self.cleaned_data["urls"])
        if not urls.strip():
            raise forms.ValidationError(_("Name at least one address, so that we know what this is about."))
        return urls

    def part(self, *names: str) -> list[BoundField]:
        return [self[name] for name in names]

    def about_you(self) -> list[BoundField]:
        return self.part("email", "name", "role", "rights_holder", "address", "phone", "language")

    def about_the_work(self) -> list[BoundField]:
        return self.part("ground", "work", "original_urls", "explanation")

    def told(self) -> dict[str, Any]:
        """What was typed, by the names a Submission has for it."""
        return {name: value for name, value in self.cleaned_data.items() if name != "urls"}


class AskForm(DescribedForm):
    """Where a publisher asks for the form of a counter-notice."""

    url = forms.CharField(
        label=_("The address of the article"),
        help_text=_("On this site, or where you published it."),
        max_length=2000,
        widget=forms.TextInput(attrs={"inputmode": "url", "autocapitalize": "off", "spellcheck": "false"}),
        error_messages={"required": _("Give the address of the article.")},
    )
    email = _mailbox(_("At the domain under which you publish, such as legal@paper.example."))


def _needed(label: StrOrPromise, message: StrOrPromise) -> forms.BooleanField:
    return forms.BooleanField(label=label, error_messages={"required": message})


class ObjectionForm(DescribedForm):
    """Why a removal is a mistake, and who says so; the article itself is known from the address."""

    name = _line(_("Your full name"), "name", missing=_("Give your full name."))
    email = _mailbox(_("We write to it, to make sure that it is yours and to tell you what follows."))
    statement = forms.CharField(
        label=_("Why the removal is a mistake"),
        help_text=_("In your own words: that it is yours, that you have a licence, that it is another work."),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={"required": _("Say why the removal is a mistake.")},
    )

    def about_you(self) -> list[BoundField]:
        return [self[name] for name in ("name", "email", "address", "phone") if name in self.fields]


class AnswerForm(ObjectionForm):
    """A counter-notice with every element of 17 U.S.C. 512(g)(3)."""

    address = forms.CharField(
        label=_("Your postal address"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "street-address"}),
        error_messages={"required": _("Give your postal address: the law asks for it.")},
    )
    phone = forms.CharField(
        label=_("Your telephone number"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "type": "tel"}),
        error_messages={"required": _("Give your telephone number: the law asks for it.")},
    )
    under_penalty = _needed(
        _(
            "Under penalty of perjury: I believe in good faith that the article was removed by mistake or because"
            " it was taken for something else."
        ),
        _("Without this declaration it is no counter-notice."),
    )
    consents_to_court = _needed(
        _(
            "I consent to the jurisdiction of the Federal District Court for the district of my address or, if it is"
            " outside the United States, for any district in which the operator of this site may be found."
        ),
        _("Without this declaration it is no counter-notice."),
    )
    accepts_service = _needed(
        _("I will accept service of process from whoever asked for the removal, or from their agent."),
        _("Without this declaration it is no counter-notice."),
    )
    signature = _line(
        _("Your signature"),
        "off",
        help_text=_("Your full name, typed, is enough."),
        missing=_("Sign with your full name."),
    )

    def declared(self) -> list[BoundField]:
        return [self[name] for name in ("under_penalty", "consents_to_court", "accepts_service", "signature")]
