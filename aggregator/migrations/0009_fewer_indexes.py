"""Without an index over entries that no query reads."""


from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('aggregator', '0008_outlets_feeds'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='entryrecord',
            name='entry_url',
        ),
    ]
