from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("booking", "0016_staff_login"),
    ]

    operations = [
        migrations.DeleteModel(name="StepArrivals"),
    ]
