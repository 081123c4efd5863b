"""Decisions on a part of an article."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("articles", "0010_cuts"),
        ("moderation", "0007_owners"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="claim",
            name="claim_state_known",
        ),
        migrations.RemoveConstraint(
            model_name="claim",
            name="claim_lifted_has_no_hold",
        ),
        migrations.AddField(
            model_name="escrow",
            name="part_of",
            field=models.OneToOneField(
                blank=True,
                help_text="Set when only the part is here that was removed for this claim.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="kept_part",
                to="moderation.claim",
            ),
        ),
        migrations.AddField(
            model_name="refusalproposal",
            name="name_key",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="refusalproposal",
            name="part",
            field=models.CharField(
                blank=True,
                choices=[
                    ("picture", "The picture"),
                    ("excerpt", "The text, down to an excerpt"),
                    ("headline", "The text, down to the headline"),
                    ("name", "One name"),
                ],
                help_text="Set when this part goes and the rest stays.",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="claim",
            name="state",
            field=models.CharField(
                choices=[
                    ("received", "Received"),
                    ("under_review", "Under review"),
                    ("upheld", "Upheld"),
                    ("refused", "Refused"),
                    ("withdrawn", "Withdrawn"),
                    ("countered", "Countered"),
                    ("reinstated", "Reinstated"),
                    ("erased", "Erased"),
                    ("reduced", "Removed in part"),
                ],
                default="received",
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("received", "Received"),
                    ("under_review", "Under review"),
                    ("upheld", "Upheld"),
                    ("refused", "Refused"),
                    ("withdrawn", "Withdrawn"),
                    ("countered", "Countered"),
                    ("reinstated", "Reinstated"),
                    ("erased", "Erased"),
                    ("reduced", "Removed in part"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="reason_code",
            field=models.CharField(
                choices=[
                    ("owner_asked", "The owner asked; the promise applies"),
                    ("licensed", "We hold a licence for this use"),
                    ("not_the_owner", "The claimant does not own the work"),
                    ("not_protected", "Not protected (facts, headline, link, very short extract)"),
                    ("exception", "An exception of the law covers the use (quotation, reporting)"),
                    ("other_work", "The article does not contain the work"),
                    ("abuse", "Manifestly unfounded or abusive notice"),
                    ("claimant_withdrew", "The claimant withdrew"),
                    ("counter_notice", "Counter-notice"),
                    ("part_only", "Only a part of the article is the owner's"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="escrow",
            name="article",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="articles.article"
            ),
        ),
        migrations.AlterField(
            model_name="letter",
            name="kind",
            field=models.CharField(
                choices=[
                    ("received", "Received"),
                    ("confirm", "Please confirm"),
                    ("incomplete", "Something is missing"),
                    ("removed", "Removed"),
                    ("refused", "Refused"),
                    ("erased", "Erased"),
                    ("withdrawn", "Withdrawn"),
                    ("reinstated", "Reinstated"),
                    ("countered", "Counter-notice"),
                    ("reduced", "Removed in part"),
                ],
                max_length=12,
            ),
        ),
        migrations.AlterField(
            model_name="refusalproposal",
            name="reason_code",
            field=models.CharField(
                choices=[
                    ("owner_asked", "The owner asked; the promise applies"),
                    ("licensed", "We hold a licence for this use"),
                    ("not_the_owner", "The claimant does not own the work"),
                    ("not_protected", "Not protected (facts, headline, link, very short extract)"),
                    ("exception", "An exception of the law covers the use (quotation, reporting)"),
                    ("other_work", "The article does not contain the work"),
                    ("abuse", "Manifestly unfounded or abusive notice"),
                    ("claimant_withdrew", "The claimant withdrew"),
                    ("counter_notice", "Counter-notice"),
                    ("part_only", "Only a part of the article is the owner's"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "received",
                            "under_review",
                            "upheld",
                            "refused",
                            "withdrawn",
                            "countered",
                            "reinstated",
                            "erased",
                            "reduced",
                        ],
                    )
                ),
                name="claim_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["refused", "withdrawn", "reinstated", "reduced"]), _negated=True),
                    ("hold__isnull", True),
                    _connector="OR",
                ),
                name="claim_lifted_has_no_hold",
            ),
        ),
        migrations.AddConstraint(
            model_name="escrow",
            constraint=models.UniqueConstraint(
                condition=models.Q(("part_of__isnull", True)),
                fields=("article",),
                name="escrow_once_an_article",
            ),
        ),
    ]
