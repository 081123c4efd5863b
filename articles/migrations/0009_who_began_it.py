import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('articles', '0009_opt_outs'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='article',
            options={'permissions': [('change_own_article', 'Can change own drafts'), ('publish_article', 'Can approve, publish, correct and take back articles'), ('retract_article', 'Can retract articles')]},
        ),
        migrations.AlterModelOptions(
            name='source',
            options={'ordering': ['name'], 'permissions': [('change_source_rights', "Can change a source's terms and suspend it")]},
        ),
        migrations.AddField(
            model_name='article',
            name='created_by',
            field=models.ForeignKey(blank=True, db_index=False, editable=False, help_text='Who began it here; empty for what a feed brought.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='article',
            index=models.Index(condition=models.Q(('created_by__isnull', False)), fields=['created_by'], name='article_begun_by'),
        ),
    ]
