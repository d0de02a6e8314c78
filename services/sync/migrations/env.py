from services.sync.storage.connector_tables import Base
from shared.db import migrations

migrations.run(Base.metadata)
