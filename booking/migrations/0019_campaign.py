from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0018_number_all'),
    ]

    operations = [
        migrations.AlterField(
            model_name='booking',
            name='reference',
            field=models.CharField(editable=False, max_length=7, unique=True, verbose_name='booking number'),
        ),
        migrations.AlterField(
            model_name='booking',
            name='written_by',
            field=models.CharField(blank=True, max_length=150, verbose_name='written down by'),
        ),
        migrations.AlterField(
            model_name='booking',
            name='holds_flat',
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.RemoveIndex(model_name='booking', name='booking_log_mark'),
        migrations.RenameField(model_name='booking', old_name='mark', new_name='campaign'),
        migrations.AlterField(
            model_name='booking',
            name='campaign',
            field=models.CharField(blank=True, editable=False, max_length=200),
        ),
        migrations.AddIndex(
            model_name='booking',
            index=models.Index(fields=['campaign', '-created_at', '-id'], name='booking_log_campaign'),
        ),
    ]
