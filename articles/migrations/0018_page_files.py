from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("articles", "0017_prepared")]
    operations = [
        migrations.AddField(
            model_name="surfaceserial",
            name="files",
            field=models.CharField(
                blank=True, help_text="The mark of the folder in which pages are files.", max_length=32, null=True
            ),
        ),
    ]
