"""The table of the cache, by Django's own command. On SQLite it lies in a file of its own."""

from django.core.management import call_command
from django.db import migrations

TABLE = "booking_cache"


def make(apps, schema_editor):
    connection = schema_editor.connection
    call_command("createcachetable", TABLE, database=connection.alias, verbosity=0)
    if connection.vendor == "postgresql":
        # Its writes wait for no disk, and a crash may empty it.
        schema_editor.execute(f"ALTER TABLE {TABLE} SET UNLOGGED")


def drop(apps, schema_editor):
    schema_editor.execute(f"DROP TABLE IF EXISTS {TABLE}")


class Migration(migrations.Migration):
    dependencies = [("booking", "0019_campaign")]

    operations = [migrations.RunPython(make, drop)]
