from services.sync.storage.tables import Base
from shared.db import migrations

migrations.run(Base.metadata)
