"""What a reader reads: articles, who made them, where they came from, and what withholds them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from taggit.managers import TaggableManager
from taggit.models import ItemBase, TagBase

from articles.addresses import page_address
from articles.fields import HTMLField
from articles.leases import Leased, LeasedQuerySet
from articles.visibility import IsAllowed, IsPublic, IsPublished, ToldHeadline
from articles.webhooks import Delivery, Receiver


class ArticleState(models.TextChoices):
    """Where an article stands. Scheduled is `published` with `published_at` in the future."""

    DRAFT = "draft", "Draft"
    REVIEW = "review", "In review"
    APPROVED = "approved", "Approved"
    PUBLISHED = "published", "Published"
    RETRACTED = "retracted", "Retracted"
    ERASED = "erased", "Erased"


class UsagePolicy(models.TextChoices):
    """How much of a source's text we show."""

    HEADLINE = "headline", "Headline only"
    EXCERPT = "excerpt", "Excerpt"
    FULL = "full", "Full text"


class Role(models.TextChoices):
    """What a person did for an article."""

    AUTHOR = "author", "Author"
    CONTRIBUTING_REPORTER = "contributing_reporter", "Contributing reporter"
    PHOTOGRAPHER = "photographer", "Photographer"
    ILLUSTRATOR = "illustrator", "Illustrator"
    EDITOR = "editor", "Editor"
    TRANSLATOR = "translator", "Translator"
    AGENCY = "agency", "Agency"


class HoldKind(models.TextChoices):
    """Why an article is withheld. Legal answers 451, editorial 410."""

    LEGAL = "legal", "Legal"
    EDITORIAL = "editorial", "Editorial"


class BlockKind(models.TextChoices):
    """By what a removed work is recognised when it comes again."""

    ADDRESS = "address", "Canonical address"
    GUID = "guid", "Feed identifier"
    TEXT = "text", "Text"
    TITLE_DAY = "title_day", "Source, headline and day"
    PICTURE = "picture", "Picture"
    WORDING = "wording", "Wording"


class Source(models.Model):
    """An outlet that published something first, and the terms on which we may show it."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200, unique=True, allow_unicode=True)
    homepage = models.URLField(max_length=500, blank=True)
    # Whoever reads its feeds writes here where the first of them stands, for what our own feeds say of their source.
    feed_url = models.CharField(max_length=2000, null=True, editable=False)
    domain = models.CharField(
        max_length=253, blank=True, db_index=True, help_text="The registrable domain, such as example.org."
    )
    language = models.CharField(max_length=12, blank=True)
    description = models.TextField(blank=True)
    usage = models.CharField(max_length=10, choices=UsagePolicy, default=UsagePolicy.EXCERPT)
    excerpt_words = models.PositiveSmallIntegerField(default=60, validators=[MinValueValidator(1)])
    terms = models.TextField(
        blank=True, help_text="What the owner allows, in words. Needed before full text is shown."
    )
    terms_url = models.URLField(max_length=500, blank=True)
    terms_recorded_on = models.DateField(null=True, blank=True)
    copyright_holder = models.CharField(max_length=200, blank=True)
    signals = models.JSONField(
        null=True,
        editable=False,
        help_text="What the site says of its use by machine: kind, value, where, since.",
    )
    signals_read_at = models.DateTimeField(null=True, editable=False, db_index=True)
    signalled_usage = models.CharField(max_length=10, choices=UsagePolicy, null=True, editable=False)
    signalled_chars = models.PositiveIntegerField(null=True, editable=False)
    signalled_no_pictures = models.BooleanField(null=True, editable=False)
    agreement_prevails = models.BooleanField(
        null=True,
        help_text="The terms recorded here were agreed with the owner and go before what the site signals to machines.",
    )
    suspended_at = models.DateTimeField(
        null=True, blank=True, help_text="From then on nothing of this source is shown or fetched."
    )
    suspended_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        permissions = [("change_source_rights", "Can change a source's terms and suspend it")]
        constraints = [
            models.CheckConstraint(condition=Q(usage__in=UsagePolicy.values), name="source_usage_known"),
            models.CheckConstraint(
                condition=~Q(usage="full") | ~Q(terms=""),
                name="source_full_text_needs_terms",
                violation_error_message="Record the owner's terms before showing full text.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return page_address("source", self.slug)

    @property
    def shown_usage(self) -> UsagePolicy:
        """How much we show: what the desk recorded, or less where the site's own signals say so."""
        own = UsagePolicy(self.usage)
        if self.agreement_prevails or not self.signalled_usage:
            return own
        order = list(UsagePolicy)
        return min(own, UsagePolicy(self.signalled_usage), key=order.index)

    @property
    def most_chars(self) -> int | None:
        """The most characters of an article that the site's signals leave us to show."""
        return None if self.agreement_prevails else self.signalled_chars

    @property
    def shows_pictures(self) -> bool:
        """Whether pictures may be shown."""
        return self.agreement_prevails or not self.signalled_no_pictures


class Contributor(models.Model):
    """A person, or an agency, who had a part in articles."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200, unique=True, allow_unicode=True)
    name_key = models.CharField(
        max_length=200,
        unique=True,
        editable=False,
        help_text="The name folded, so that one person is one row.",
    )
    is_agency = models.BooleanField(default=False)
    about = models.TextField(blank=True)
    homepage = models.URLField(max_length=500, blank=True)

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["name_key"], condition=Q(is_agency=True), name="agency_by_name")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return page_address("contributor", self.slug)


class Tag(TagBase):
    """A topic."""

    slug = models.SlugField(max_length=100, unique=True, allow_unicode=True)
    description = models.TextField(blank=True)
    featured = models.BooleanField(default=False, help_text="Shown in the navigation.")
    position = models.PositiveSmallIntegerField(default=100, help_text="Order in the navigation.")

    class Meta:
        ordering = ["position", "name"]
        indexes = [
            models.Index(fields=["position", "name"], condition=Q(featured=True), name="tag_navigation")
        ]

    def get_absolute_url(self) -> str:
        return page_address("tag", self.slug)


class TagSynonym(models.Model):
    """Another word for a tag: what feeds and editors write, folded to the tag we use."""

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="synonyms")
    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=100, unique=True, allow_unicode=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TaggedArticle(ItemBase):
    """One tag on one article.

    `published_at` is the article's, copied by a trigger (migration 0008): so a tag's newest articles are
    read in the order of one index, however many it has.
    """

    # The constraint's index and the list's own begin with these.
    content_object = models.ForeignKey("Article", on_delete=models.CASCADE, db_index=False)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="tagged", db_index=False)
    published_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["content_object", "tag"], name="article_tag_once")]
        indexes = [
            models.Index(fields=["tag", "-published_at", "-content_object"], name="tagged_newest"),
        ]


class Media(Leased):
    """A picture, re-encoded by us, with the credit and terms it came with.

    Until its file is here `due_at` says when to fetch `original_url`.
    """

    token = models.CharField(max_length=32, unique=True, editable=False)
    file = models.FileField(upload_to="pictures/", blank=True)
    sha256 = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    width = models.PositiveIntegerField(default=0, editable=False)
    height = models.PositiveIntegerField(default=0, editable=False)
    original_url = models.URLField(max_length=2000, blank=True)
    alt = models.CharField(max_length=500, blank=True)
    caption = models.CharField(max_length=1000, blank=True)
    credit = models.CharField(max_length=300, blank=True)
    holder = models.CharField(max_length=300, blank=True)
    terms = models.CharField(max_length=1000, blank=True)
    terms_expire_at = models.DateTimeField(null=True, blank=True)
    focus_x = models.PositiveSmallIntegerField(
        "from the left", default=50, db_default=50, validators=[MaxValueValidator(100)]
    )
    focus_y = models.PositiveSmallIntegerField(
        "from the top", default=50, db_default=50, validators=[MaxValueValidator(100)]
    )
    last_error = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LeasedQuerySet.as_manager()

    class Meta:
        verbose_name = "picture"
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="picture_due"),
            models.Index(fields=["original_url"], name="picture_address"),
            models.Index(
                fields=["terms_expire_at"],
                condition=Q(terms_expire_at__isnull=False),
                name="picture_terms_end",
            ),
        ]

    def __str__(self) -> str:
        return self.alt or self.caption or self.token

    @property
    def files(self) -> list[str]:
        """The name of every file in which the picture can be seen."""
        sizes = [file for size in self.renditions.all() for file in (size.file, size.avif)]
        return list(dict.fromkeys(str(file.name) for file in (self.file, *sizes) if file))


class Rendition(models.Model):
    """One size of a picture, as WebP and, where that saves bytes, as AVIF too."""

    media = models.ForeignKey(Media, on_delete=models.CASCADE, related_name="renditions")
    file = models.FileField(upload_to="pictures/")
    avif = models.FileField(upload_to="pictures/", blank=True, default="", db_default="")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    content_type = models.CharField(max_length=40, default="image/webp")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["media", "width"], name="rendition_once")]
        ordering = ["width"]

    def __str__(self) -> str:
        return f"{self.width} × {self.height}"


class StoryQuerySet(models.QuerySet["Story"]):
    def told(self) -> StoryQuerySet:
        """With `told_headline`: an editor's, else the leading article's, else the first public article's.

        Read from what is public now, so a withheld article's headline does not live on over its story.
        """
        return self.annotate(told_headline=ToldHeadline())


class Story(models.Model):
    """Articles about one event."""

    slug = models.SlugField(max_length=200, unique=True, allow_unicode=True)
    headline = models.CharField(
        max_length=300, blank=True, help_text="Left empty, it is the headline of the leading article."
    )
    standfirst = models.TextField(blank=True)
    lead = models.ForeignKey(
        "Article", null=True, blank=True, on_delete=models.SET_NULL, related_name="led", db_index=False
    )
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="merged", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "stories"
        indexes = [models.Index(fields=["lead"], condition=Q(lead__isnull=False), name="story_lead")]

    def __str__(self) -> str:
        return self.headline or (self.lead.headline if self.lead else "") or self.slug

    def get_absolute_url(self) -> str:
        return page_address("story", self.slug)


class HoldQuerySet(models.QuerySet["Hold"]):
    def standing(self) -> HoldQuerySet:
        """Holds that nobody released, in effect or with their moment still to come."""
        return self.filter(released_at__isnull=True)

    def in_effect(self) -> HoldQuerySet:
        """Holds whose moment has come by the database's clock, or had come once (latched)."""
        return self.standing().filter(Q(latched_at__isnull=False) | Q(effective_at__lte=Now()))

    def unlatched(self) -> HoldQuerySet:
        """Holds in effect of which that was not yet written down."""
        return self.standing().filter(latched_at__isnull=True, effective_at__lte=Now())


class ArticleQuerySet(models.QuerySet["Article"]):
    def public(self) -> ArticleQuerySet:
        """Articles a reader may see. The database's clock decides.

        The condition is written in articles/visibility.py.
        """
        return self.filter(IsPublic())

    def allowed(self) -> ArticleQuerySet:
        """Articles in any state but erased that neither a hold nor their owner keeps from being shown."""
        return self.filter(IsAllowed()).exclude(state=ArticleState.ERASED)

    def published(self) -> ArticleQuerySet:
        """Published ones of those that keys or addresses name; not by the index of all that are (visibility.py)."""
        return self.filter(IsPublished())

    def without_copies(self) -> ArticleQuerySet:
        """Of articles that are one text, only the one that was first."""
        return self.filter(copy_of__isnull=True)

    def in_language(self, code: str) -> ArticleQuerySet:
        """Written in this language, whatever its region."""
        return self.filter(Q(language=code) | Q(language__startswith=f"{code}-"))

    def newest_first(self) -> ArticleQuerySet:
        """Published ones, read in the order of the index."""
        return self.in_print().order_by("-published_at", "-pk")

    def in_print(self) -> ArticleQuerySet:
        """Of the state that public articles are in: said to use the index that begins with it (visibility.py)."""
        return self.filter(state=ArticleState.PUBLISHED)


class Article(models.Model):
    """One piece of journalism, ours or a source's."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=ArticleState, default=ArticleState.DRAFT)
    slug = models.SlugField(max_length=200, unique=True, allow_unicode=True)
    headline = models.CharField(max_length=300)
    standfirst = models.TextField(blank=True)
    body = HTMLField(blank=True, help_text="Sanitised HTML.")
    byline = models.CharField(max_length=500, blank=True, help_text="The printed line, as the source had it.")
    dateline = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=12, blank=True, db_index=False)
    source = models.ForeignKey(
        Source, null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="articles"
    )
    canonical_url = models.CharField(
        "primary source", max_length=2000, blank=True, help_text="The address of the original."
    )
    url_key = models.CharField(
        max_length=64,
        null=True,
        blank=True,
        unique=True,
        editable=False,
        help_text="SHA-256 of the canonical address.",
    )
    guid_key = models.CharField(
        max_length=64,
        blank=True,
        default="",
        editable=False,
        help_text="SHA-256 of the identifier its feed gave it.",
    )
    text_key = models.CharField(max_length=64, blank=True, default="", editable=False)
    title_day_key = models.CharField(max_length=64, blank=True, default="", editable=False)
    signature = models.BinaryField(null=True, blank=True, editable=False)
    copyright_holder = models.CharField(max_length=200, blank=True)
    usage_terms = models.CharField(max_length=500, blank=True)
    licence_url = models.CharField(max_length=500, blank=True)
    lead_media = models.ForeignKey(
        Media, null=True, blank=True, on_delete=models.SET_NULL, related_name="articles"
    )
    story = models.ForeignKey(
        Story, null=True, blank=True, on_delete=models.SET_NULL, related_name="articles"
    )
    copy_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        on_delete=models.SET_NULL,
        related_name="copies",
        help_text="The article of another source that had this text first.",
    )
    compared_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Empty until it was compared with others."
    )
    published_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(null=True, blank=True, help_text="When readers last got a new version.")
    expires_at = models.DateTimeField(null=True, blank=True)
    fetched_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who began it here; empty for what a feed brought.",
    )
    edited_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When an editor last changed it; a feed never overwrites that.",
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    contributors = models.ManyToManyField(
        Contributor, through="Contribution", related_name="articles", blank=True
    )

    objects = ArticleQuerySet.as_manager()
    tags = TaggableManager(through=TaggedArticle, blank=True)

    class Meta:
        permissions = [
            ("change_own_article", "Can change own drafts"),
            ("publish_article", "Can approve, publish, correct and take back articles"),
            ("retract_article", "Can retract articles"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ArticleState.values), name="article_state_known"),
            models.CheckConstraint(
                condition=Q(source__isnull=True)
                | Q(state="erased")
                | Q(canonical_url__startswith="http://")
                | Q(canonical_url__startswith="https://"),
                name="article_links_to_its_source",
                violation_error_message="An article from a source needs the http(s) address of the original.",
            ),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(published_at__isnull=False),
                name="article_published_has_a_date",
                violation_error_message="A published article needs a publication date.",
            ),
        ]
        indexes = [
            # The state is a column of these, not their condition: SQLite then prefers another index and sorts.
            models.Index(fields=["state", "-published_at", "-id"], name="article_newest"),
            models.Index(fields=["source", "state", "-published_at", "-id"], name="article_newest_of_source"),
            models.Index(fields=["guid_key"], condition=~Q(guid_key=""), name="article_guid"),
            models.Index(fields=["text_key"], condition=~Q(text_key=""), name="article_text"),
            models.Index(fields=["state", "-created_at", "-id"], name="article_desk"),
            models.Index(fields=["language", "-id"], name="article_language"),
            models.Index(fields=["source", "-id"], name="article_of_source"),
            models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="article_expiry"),
            models.Index(fields=["copy_of"], condition=Q(copy_of__isnull=False), name="article_copy"),
            models.Index(
                fields=["created_by"], condition=Q(created_by__isnull=False), name="article_begun_by"
            ),
            models.Index(
                fields=["compared_at", "state", "published_at"],
                condition=Q(compared_at__isnull=True),
                name="article_to_compare",
            ),
        ]

    def __str__(self) -> str:
        return self.headline or f"[{self.get_state_display()}]"

    def get_absolute_url(self) -> str:
        return page_address("article", self.slug)


class Contribution(models.Model):
    """What one person did for one article.

    `published_at` is the article's, copied by a trigger (migration 0024), as on TaggedArticle.
    """

    # The constraint's index and the list's own begin with these.
    article = models.ForeignKey(
        Article, on_delete=models.CASCADE, related_name="contributions", db_index=False
    )
    contributor = models.ForeignKey(
        Contributor, on_delete=models.PROTECT, related_name="contributions", db_index=False
    )
    role = models.CharField(max_length=24, choices=Role, default=Role.AUTHOR)
    position = models.PositiveSmallIntegerField(default=0)
    published_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["article", "contributor", "role"], name="contribution_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="contribution_role_known"),
        ]
        indexes = [models.Index(fields=["contributor", "-published_at", "-article"], name="credited_newest")]

    def __str__(self) -> str:
        return f"{self.contributor} ({self.get_role_display()})"


class RelatedLink(models.Model):
    """A link an editor chose: to an article of ours or to an address outside."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="related_links")
    to_article = models.ForeignKey(
        Article, null=True, blank=True, on_delete=models.CASCADE, related_name="related_from"
    )
    url = models.URLField(max_length=2000, blank=True)
    title = models.CharField(max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["article", "to_article"], name="related_article_once"),
            models.CheckConstraint(
                condition=Q(to_article__isnull=True) | ~Q(to_article=F("article")),
                name="related_to_another_article",
                violation_error_message="An article is not related to itself.",
            ),
            models.CheckConstraint(
                condition=(Q(to_article__isnull=False) & Q(url=""))
                | (Q(to_article__isnull=True) & ~Q(url="")),
                name="related_one_target",
                violation_error_message="Give either an article or an address.",
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(self.to_article or self.url)


class Illustration(models.Model):
    """A picture of the library that stands in an article's text; only such are shown (articles/illustrations.py)."""

    article = models.ForeignKey(
        Article, on_delete=models.CASCADE, db_index=False, related_name="illustrations"
    )
    media = models.ForeignKey(Media, on_delete=models.CASCADE, related_name="illustrations")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["article", "media"], name="illustration_once")]

    def __str__(self) -> str:
        return f"Picture {self.media_id} in article {self.article_id}"


class RevisionKind(models.TextChoices):
    EDIT = "edit", "Edited here"
    UPDATE = "update", "Updated by the source"
    CORRECTION = "correction", "Corrected"


class Revision(models.Model):
    """A version that was replaced, kept until its article is erased."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=RevisionKind)
    snapshot = models.JSONField(help_text="Field name to value, as it stood before the change.")
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    note = models.CharField(
        max_length=1000, blank=True, help_text="Shown to readers when it is a correction."
    )

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["article", "number"], name="revision_once")]
        indexes = [
            models.Index(fields=["-at", "-id"], condition=Q(kind="correction"), name="correction_by_time")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"


class SitePage(models.Model):
    """What the desk says about the site itself, in one language of the interface; where there is none, ours stands."""

    slug = models.CharField(
        max_length=20,
        choices=[("about", "About us"), ("ethics", "How we work"), ("corrections", "Corrections")],
    )
    language = models.CharField(max_length=12, choices=settings.LANGUAGES, default="en")
    title = models.CharField(max_length=200)
    body = HTMLField(
        help_text="HTML: <p>, <h2>, <ul>, <li>, <a href>, <strong>, <em>. Anything else is taken out when you save."
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["slug", "language"]
        verbose_name = "page about the site"
        verbose_name_plural = "pages about the site"
        constraints = [models.UniqueConstraint(fields=["slug", "language"], name="site_page_once")]

    def __str__(self) -> str:
        return f"{self.title} ({self.get_language_display()})"


class SitePageVersion(models.Model):
    """How a page about the site read until it was changed."""

    page = models.ForeignKey(SitePage, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    body = HTMLField()
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["page", "number"], name="site_page_version_once")]

    def __str__(self) -> str:
        return f"{self.title}, version {self.number}"


class Hold(models.Model):
    """Something that withholds an article from readers from a moment on.

    `effective_at` may lie in the future: the public query compares it with the database's clock, so
    a deadline needs no worker. `latched_at` is written the first time anybody met the hold in
    effect; from then on a clock set back changes nothing.
    """

    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="holds")
    kind = models.CharField(max_length=10, choices=HoldKind)
    reference = models.CharField(max_length=80, help_text="Whose hold it is, such as claim:42.")
    effective_at = models.DateTimeField()
    latched_at = models.DateTimeField(null=True, blank=True, editable=False)
    placed_at = models.DateTimeField()
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    note = models.CharField(max_length=300, blank=True, help_text="Shown to readers in the article's place.")

    objects = HoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["article", "reference"], condition=Q(released_at__isnull=True), name="hold_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=HoldKind.values), name="hold_kind_known"),
        ]
        indexes = [
            models.Index(
                fields=["article", "effective_at"],
                condition=Q(released_at__isnull=True),
                name="hold_standing",
            ),
            models.Index(
                fields=["effective_at"],
                condition=Q(released_at__isnull=True, latched_at__isnull=True),
                name="hold_coming",
            ),
            models.Index(fields=["-effective_at"], condition=Q(released_at__isnull=True), name="hold_lately"),
            # What one reference stands for may be every article of an outlet: read in portions.
            models.Index(
                fields=["reference", "id"], condition=Q(released_at__isnull=True), name="hold_reference"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} hold {self.reference}"


class BlockedWork(models.Model):
    """One key by which a withheld work is recognised when it comes again; stands as long as its hold.

    A trigger on the articles table compares (migration 0002), so feeds, editors, `bulk_create` and
    `loaddata` all meet it.
    """

    hold = models.ForeignKey(Hold, on_delete=models.PROTECT, related_name="blocks")
    article = models.ForeignKey(Article, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=BlockKind)
    key = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["hold", "kind", "key"], name="block_once")]
        indexes = [models.Index(fields=["key", "kind"], name="block_key")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.key[:12]}"


class CutKind(models.TextChoices):
    """Which part of an article its owner had removed."""

    PICTURE = "picture", "The picture"
    EXCERPT = "excerpt", "The text, down to an excerpt"
    HEADLINE = "headline", "The text, down to the headline"
    NAME = "name", "One name"


class Cut(models.Model):
    """A part of an article that stays away, whatever a feed brings later (articles/cuts.py)."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="cuts")
    kind = models.CharField(max_length=10, choices=CutKind)
    name_key = models.CharField(
        max_length=64, blank=True, editable=False, help_text="SHA-256 of the name, or of the picture."
    )
    reference = models.CharField(max_length=80, help_text="Whose cut it is, such as claim:42.")
    placed_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["article", "reference"], condition=Q(lifted_at__isnull=True), name="cut_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of article {self.article_id}"


class StoryMembership(models.Model):
    """Why an article is in its story, or that an editor took it out (`story` empty, `pinned`).

    Article.story is what readers see. Grouping never moves an article whose membership is pinned, nor
    one whose story here differs from its own: there an editor has been.
    """

    article = models.OneToOneField(
        Article, primary_key=True, on_delete=models.CASCADE, related_name="membership"
    )
    story = models.ForeignKey(
        Story, null=True, blank=True, on_delete=models.SET_NULL, related_name="memberships"
    )
    score = models.FloatField(default=0, help_text="How near its nearest report is.")
    nearness = models.FloatField(
        default=0, help_text="Sum over the reports near it; the highest is the centre."
    )
    reasons = models.JSONField(default=list, help_text="Shared words, names and figures.")
    pinned = models.BooleanField(default=False, help_text="An editor's choice; grouping leaves it alone.")
    own_text = models.BooleanField(default=False, help_text="An editor said that it is nobody's copy.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.article} in {self.story}" if self.story else f"{self.article} alone"


class Comparison(models.Model):
    """What of an article is compared with others, as long as others may be compared with it."""

    article = models.OneToOneField(Article, primary_key=True, on_delete=models.CASCADE, related_name="+")
    terms = models.BinaryField()
    keys = models.BinaryField(help_text="The keys stored for it.")
    language = models.CharField(max_length=12, blank=True)
    is_short = models.BooleanField(default=False)
    published_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"What is compared of article {self.pk}"


class ComparisonKey(models.Model):
    """One rare term of an article, or one band of its text's sketch, and the hour it came out.

    No foreign key: rows go by the keys its Comparison names, so no second index is needed.
    """

    pk = models.CompositePrimaryKey("key", "hour", "article_id")
    key = models.BigIntegerField()
    hour = models.IntegerField()
    article_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.key} of article {self.article_id}"


class Note(models.Model):
    """What a colleague said about an article; a task when it is somebody's. No reader sees it."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="notes")
    text = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    task_of = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        db_index=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    due_on = models.DateField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-pk"]
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["task_of", "due_on"],
                condition=Q(done_at__isnull=True, task_of__isnull=False),
                name="note_open_task",
            )
        ]

    def __str__(self) -> str:
        return f"Note {self.pk}"


class Mention(Leased):
    """Somebody is to be told of a note; `due_at` is empty once that was done."""

    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="mentions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    objects = LeasedQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="mention_due")]

    def __str__(self) -> str:
        return f"{self.user} of {self.note}"


class FrontPinQuerySet(models.QuerySet["FrontPin"]):
    def standing(self) -> FrontPinQuerySet:
        """Pins whose time is not over, by the database's clock."""
        return self.filter(Q(until__isnull=True) | Q(until__gt=Now()))


class FrontPin(models.Model):
    """An article that an editor put on the front page: at its top, or at the head of one tag's row.

    Only a place is kept here. Whether readers see the article is the public query's matter, so what is
    withheld or taken back drops out by itself and comes back with it.
    """

    article = models.OneToOneField(Article, on_delete=models.CASCADE, related_name="front_pin")
    tag = models.ForeignKey(
        Tag, null=True, blank=True, on_delete=models.CASCADE, related_name="+", help_text="Empty: the top."
    )
    position = models.PositiveSmallIntegerField()
    until = models.DateTimeField(
        null=True, blank=True, help_text="From then on its place is filled by itself."
    )
    pinned_at = models.DateTimeField()
    pinned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = FrontPinQuerySet.as_manager()

    class Meta:
        ordering = ["tag", "position", "pk"]
        verbose_name = "place on the front page"
        verbose_name_plural = "front page"
        default_permissions = ("view", "change")

    def __str__(self) -> str:
        return f"Article {self.article_id} on the front page"


class SlugRedirect(models.Model):
    """An address an article once had."""

    slug = models.SlugField(max_length=200, unique=True, allow_unicode=True)
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="old_slugs")

    def __str__(self) -> str:
        return self.slug


class FormerAddress(models.Model):
    """An address that the page of a person, a tag or a story once had: it leads to the page there is now, for ever."""

    slug = models.SlugField(max_length=200, allow_unicode=True)
    contributor = models.ForeignKey(
        Contributor, null=True, on_delete=models.CASCADE, related_name="former_addresses"
    )
    tag = models.ForeignKey(Tag, null=True, on_delete=models.CASCADE, related_name="former_addresses")
    story = models.ForeignKey(Story, null=True, on_delete=models.CASCADE, related_name="former_addresses")

    class Meta:
        verbose_name_plural = "former addresses"
        constraints = [
            models.CheckConstraint(
                condition=Q(contributor__isnull=False, tag__isnull=True, story__isnull=True)
                | Q(contributor__isnull=True, tag__isnull=False, story__isnull=True)
                | Q(contributor__isnull=True, tag__isnull=True, story__isnull=False),
                name="former_address_of_one",
            ),
            models.UniqueConstraint(
                fields=["slug"], condition=Q(contributor__isnull=False), name="former_address_of_person_once"
            ),
            models.UniqueConstraint(
                fields=["slug"], condition=Q(tag__isnull=False), name="former_address_of_tag_once"
            ),
            models.UniqueConstraint(
                fields=["slug"], condition=Q(story__isnull=False), name="former_address_of_story_once"
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class ContributorName(models.Model):
    """Another spelling of a contributor's name: whoever is credited under it is this contributor."""

    contributor = models.ForeignKey(Contributor, on_delete=models.CASCADE, related_name="other_names")
    name = models.CharField(max_length=200)
    name_key = models.CharField(max_length=200, unique=True, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SearchRow(models.Model):
    """The words by which a published article is found, folded (articles/search.py); only what may be shown.

    The index over it is the database's own: migration 0004 makes an FTS5 table or two tsvector columns.
    """

    article = models.OneToOneField(Article, primary_key=True, on_delete=models.CASCADE, related_name="+")
    headline = models.TextField()
    names = models.TextField(help_text="Contributors, tags and source.")
    standfirst = models.TextField()
    body = models.TextField()
    facets = models.TextField(help_text="Language, source and tags as single words.")

    def __str__(self) -> str:
        return self.headline


class SearchOwed(Leased):
    """An article that came in with a feed and has no search row yet; `articles.search.index_due` writes it."""

    article = models.OneToOneField(Article, primary_key=True, on_delete=models.CASCADE, related_name="+")

    objects = LeasedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="search_owed_due")]

    def __str__(self) -> str:
        return f"The search row of article {self.pk}"


class SearchSlip(models.Model):
    """A word that some indexed article has, under one thing that may be left of it (articles/spelling.py)."""

    pk = models.CompositePrimaryKey("slip", "word")
    slip = models.TextField(help_text="What is left of the word's beginning.")
    word = models.TextField()

    def __str__(self) -> str:
        return self.word


class Prepared(models.Model):
    """What pages need of an article's text, worked out when it is stored (articles/prepared.py)."""

    article = models.OneToOneField(
        Article, primary_key=True, on_delete=models.CASCADE, related_name="prepared"
    )
    opening = models.TextField(help_text="The first words, as plain text.")
    minutes = models.PositiveSmallIntegerField(default=0)
    read_next = models.JSONField(null=True, help_text="Keys of articles near this one, nearest first.")
    read_next_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="prepared_due")]

    def __str__(self) -> str:
        return f"What is prepared of article {self.pk}"


class ReadyPage(models.Model):
    """The bytes of one public address, ready to send (docs/decisions/ready-pages.md).

    Deleted in the transaction of the change that makes them wrong; no longer served after `valid_until`
    (the earliest deadline, embargo or expiry of anything they show), by another `build` of the program,
    or once `serial` lies before the last change that touched the whole site.
    """

    path = models.CharField(max_length=400, primary_key=True)
    etag = models.CharField(max_length=40)
    headers = models.JSONField(default=dict)
    body_gzip = models.BinaryField()
    body_br = models.BinaryField()
    build = models.CharField(max_length=32, default="")
    serial = models.BigIntegerField(default=0)
    valid_until = models.DateTimeField(null=True)
    stored_at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return self.path


class ReadyPageKey(models.Model):
    """One thing a ready page depends on, such as article:42, tag:7, list:latest."""

    page = models.ForeignKey(ReadyPage, on_delete=models.CASCADE, related_name="keys")
    key = models.CharField(max_length=240)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "page"], name="page_key_once")]

    def __str__(self) -> str:
        return self.key


class Fragment(models.Model):
    """What pages, lists or feeds show of one article, as it was set (articles/fragments.py).

    Deleted in the transaction of the change that makes it wrong, as a ready page is; read no more after
    `valid_until`, by another `build`, or once `serial` lies before the last change to the whole site.
    """

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=12)
    language = models.CharField(max_length=8)
    text = models.TextField()
    build = models.CharField(max_length=32)
    serial = models.BigIntegerField()
    valid_until = models.DateTimeField(null=True)
    stored_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["article", "kind", "language"], name="fragment_once")]

    def __str__(self) -> str:
        return f"{self.kind} of article {self.article_id} in {self.language}"


class SurfaceSerial(models.Model):
    """One row: the number of the last change to anything public, and of the last to everything."""

    serial = models.BigIntegerField(default=0)
    site = models.BigIntegerField(default=0)
    files = models.CharField(
        max_length=32, null=True, blank=True, help_text="The mark of the folder in which pages are files."
    )

    def __str__(self) -> str:
        return str(self.serial)


class SurfaceChange(models.Model):
    """The number of the last change to one key, so that a slow renderer notices it was overtaken."""

    key = models.CharField(max_length=240, primary_key=True)
    serial = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now(), db_index=True)

    def __str__(self) -> str:
        return f"{self.key} at {self.serial}"


class Heartbeat(models.Model):
    """When each kind of work was last done."""

    name = models.CharField(max_length=60, primary_key=True)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name


class WalkKind(models.TextChoices):
    """What is done to very many articles."""

    TAG = "tag", "Give them a tag"
    UNTAG = "untag", "Take a tag from them"
    RETAG = "retag", "Give them a tag in another one's place"
    INDEX = "index", "Make what search knows of them anew"


class Walk(Leased):
    """A change to very many articles, done a few at a time (articles/walks.py).

    It is through with all articles up to the key `after`, and ends at `last`.
    """

    kind = models.CharField("what", max_length=8, choices=WalkKind)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    source = models.ForeignKey(
        Source,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="of the outlet",
    )
    tagged = models.ForeignKey(
        Tag, on_delete=models.CASCADE, null=True, blank=True, related_name="+", verbose_name="with the tag"
    )
    person = models.ForeignKey(
        Contributor, on_delete=models.CASCADE, null=True, blank=True, related_name="+", editable=False
    )
    after = models.BigIntegerField(default=0, editable=False)
    last = models.BigIntegerField(default=0, editable=False)
    done = models.PositiveIntegerField("articles changed", default=0, editable=False)
    asked_at = models.DateTimeField(editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = LeasedQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at"]
        verbose_name = "large change"
        constraints = [models.CheckConstraint(condition=Q(kind__in=WalkKind.values), name="walk_kind_known")]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(finished_at__isnull=True), name="walk_unfinished")
        ]

    def __str__(self) -> str:
        owner = self.source or self.tagged or self.person
        what = f"{self.get_kind_display()}: {self.tag}" if self.tag else self.get_kind_display()
        return f"{what} ({owner})"

    @property
    def share(self) -> float:
        """How much of the way is behind it, from 0 to 1."""
        return 1.0 if self.finished_at or not self.last else min(1.0, self.after / self.last)


class AnnouncementKind(models.TextChoices):
    """Whom a change is announced to."""

    CACHES = "caches", "Shared caches"
    SEARCH_ENGINES = "search", "Search engines"
    HUB = "hub", "Hub of our feeds"


class Announcement(Leased):
    """What a machine outside must be told, written in the transaction of the change; sent until it is taken.

    To caches twice: what a reader asked for a moment before the change may reach the cache after the first
    time. Until `settled_at` is set it is not over.
    """

    kind = models.CharField(max_length=8, choices=AnnouncementKind)
    about = models.JSONField(default=list, help_text="Keys that caches drop, or addresses that changed.")
    reference = models.CharField(max_length=40, blank=True, help_text="Of the hold or cut that made it due.")
    created_at = models.DateTimeField(db_default=Now())
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)

    objects = LeasedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="announcement_due"),
            models.Index(fields=["reference"], condition=~Q(reference=""), name="announcement_of"),
            models.Index(
                fields=["settled_at"], condition=Q(settled_at__isnull=False), name="announcement_old"
            ),
        ]

    def __str__(self) -> str:
        return f"To {self.get_kind_display().lower()}, {len(self.about)} keys"


class HookEvent(models.TextChoices):
    """What became of an article, for programs that follow the desk."""

    PUBLISHED = "article.published", "Published, or shown again"
    CORRECTED = "article.corrected", "Corrected, or cut at its owner's request"
    RETRACTED = "article.retracted", "Retracted"
    REMOVED = "article.removed", "Removed, or taken back"
    PING = "ping", "A try"


class Hook(Receiver):
    """A program that is told what the desk does."""

    name = models.CharField(max_length=100, help_text="Which program this is.")
    events = models.JSONField(default=list)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-pk"]
        verbose_name = "webhook"

    def __str__(self) -> str:
        return self.name


class HookDelivery(Delivery):
    """One message we owe to a program. It names the article and holds nothing of what stands in it."""

    hook = models.ForeignKey(Hook, on_delete=models.CASCADE, related_name="deliveries")
    article = models.ForeignKey(Article, null=True, on_delete=models.CASCADE, related_name="+")
    event = models.CharField(max_length=20, choices=HookEvent)

    objects = LeasedQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="hook_due")]

    def __str__(self) -> str:
        return f"{self.event} to {self.hook}"


class ReadCount(models.Model):
    """How often an article's page was asked for on a day; nothing of who asked."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, db_index=False, related_name="+")
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["article", "day"], name="read_count_once")]
        indexes = [models.Index(fields=["day", "-count"], name="read_most")]

    def __str__(self) -> str:
        return f"{self.count} on {self.day}"


class DayFigure(models.Model):
    """One number of one day, such as the claims that came, for the desk's charts."""

    name = models.CharField(max_length=20)
    day = models.DateField()
    value = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "day"], name="day_figure_once")]

    def __str__(self) -> str:
        return f"{self.name} on {self.day}: {self.value}"
