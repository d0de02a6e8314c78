"""Bring the service's data files into the database: at every start, safe to repeat."""

from services.reporting.domain.templates import template_of
from services.reporting.storage import templates
from services.reporting.storage.data_files import recipient_rules, template_files
from shared.db.unit_of_work import UnitOfWork
from shared.errors import conflict


async def load_data(uow: UnitOfWork) -> None:
    """Load missing template versions and recipient rules.

    Raises `template.changed` (conflict) when a version differs from the one already loaded: reports were made with
    it, so a change has to be a new version. Raises ValueError for a file that is no usable template.
    """
    for file in template_files():
        template = template_of(file.document)
        await templates.insert_template(uow.session, file)
        if await templates.template_hash(uow.session, template.code, template.version) != file.sha256:
            raise conflict(
                "template.changed",
                vi=f"Biểu mẫu {template.code} phiên bản {template.version} đã nạp với nội dung khác.",
                en=f"Template {template.code} version {template.version} was loaded with other content.",
            )
    await templates.insert_recipient_rules(uow.session, recipient_rules())
