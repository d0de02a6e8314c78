from shared.db import migrations

PACKAGE = "services.materials"


def test_the_schema_goes_up_checks_goes_down_and_up_again(databases):
    database = databases.empty("materials")
    try:
        migrations.upgrade(PACKAGE, database.owner_url)
        migrations.check(PACKAGE, database.owner_url)
        migrations.downgrade(PACKAGE, database.owner_url)
        migrations.upgrade(PACKAGE, database.owner_url)
        migrations.check(PACKAGE, database.owner_url)
    finally:
        databases.drop(database)
