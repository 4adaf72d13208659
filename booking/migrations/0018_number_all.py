from django.db import migrations

from booking import references


def number_those_without(apps, schema_editor):
    """A site of an older version may have written a few while this was allowed."""
    bookings = apps.get_model('booking', 'Booking').objects
    for booking in bookings.filter(reference=None).only('pk'):
        number = references.make()
        while bookings.filter(reference=number).exists():
            number = references.make()
        bookings.filter(pk=booking.pk).update(reference=number)


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0017_delete_steparrivals'),
    ]

    operations = [
        migrations.RunPython(number_those_without, migrations.RunPython.noop, elidable=True),
    ]
