from django.db import migrations, models

from booking import references

AT_ONCE = 2000


def number_those_made_before(apps, schema_editor):
    """In batches, because there may be many."""
    bookings = apps.get_model('booking', 'Booking').objects.order_by('pk')
    used = set()
    unnumbered = bookings.filter(reference=None).only('pk')
    while batch := list(unnumbered[:AT_ONCE]):
        for booking in batch:
            booking.reference = references.make()
            while booking.reference in used:
                booking.reference = references.make()
            used.add(booking.reference)
        bookings.bulk_update(batch, ['reference'], batch_size=500)


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0010_mark'),
    ]

    operations = [
        migrations.AddField(
            model_name='booking',
            name='reference',
            field=models.CharField(max_length=7, null=True, unique=True, editable=False, verbose_name='booking number'),
        ),
        migrations.RunPython(number_those_made_before, migrations.RunPython.noop, elidable=True),
    ]
