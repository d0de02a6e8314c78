from services.sync.storage.registry_tables import Base
from shared.db import migrations

migrations.run(Base.metadata)
