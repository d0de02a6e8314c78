from services.materials.storage.schema import Base
from shared.db import migrations

migrations.run(Base.metadata)
