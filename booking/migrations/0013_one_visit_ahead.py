from django.db import migrations, models
from django.db.models import Max, Q
from django.utils import timezone


def let_the_newest_hold_its_flat(apps, schema_editor):
    """Of the bookings of a flat whose visits lie ahead. There may be more than one from before."""
    bookings = apps.get_model('booking', 'Booking').objects
    ahead = bookings.filter(
        outcome__in=('sending', 'confirmed', 'in_doubt'),
        called_off_at=None,
        anonymised_at=None,
        starts_at__gt=timezone.now(),
    )
    newest = ahead.order_by().values('category', 'house_id', 'flat').annotate(newest=Max('pk'))
    bookings.filter(pk__in=newest.values('newest')).update(holds_flat=True)


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0012_find_attempt'),
    ]

    operations = [
        migrations.AddField(
            model_name='booking',
            name='holds_flat',
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.RunPython(let_the_newest_hold_its_flat, migrations.RunPython.noop, elidable=True),
        migrations.RemoveConstraint(model_name='booking', name='one_live_booking_per_start'),
        migrations.RemoveConstraint(model_name='booking', name='one_live_booking_per_flat_and_phone'),
        migrations.RemoveConstraint(model_name='booking', name='one_live_booking_after_another'),
        migrations.AddConstraint(
            model_name='booking',
            constraint=models.UniqueConstraint(
                condition=Q(holds_flat=True),
                fields=('category', 'house_id', 'flat'),
                name='one_booking_holds_a_flat',
            ),
        ),
        migrations.AddIndex(
            model_name='booking',
            index=models.Index(fields=['house_id', 'flat', '-created_at'], name='booking_of_flat'),
        ),
    ]
