"""The closed lists metadata is checked against, for pickers."""

from fastapi import APIRouter
from pydantic import BaseModel

from services.materials.api.schemas import SubjectOut, TypeOut
from services.materials.domain.catalogue import subjects
from services.materials.domain.licences import Licence
from services.materials.usecases.queries import SCOPE
from shared.http.unit_of_work import CurrentPrincipal

router = APIRouter(prefix="/materials/v1/catalogues", tags=["catalogues"])


class SubjectsOut(BaseModel):
    items: list[SubjectOut]


class TypesOut(BaseModel):
    items: list[TypeOut]


class LicencesOut(BaseModel):
    items: list[Licence]


@router.get("/subjects", summary="Subjects and grades of the curriculum")
async def list_subjects(principal: CurrentPrincipal) -> SubjectsOut:
    """Subjects of the 2018 curriculum with the grades they are taught in."""
    principal.require_scope(SCOPE)
    return SubjectsOut(items=[SubjectOut.from_subject(subject) for subject in subjects().values()])


@router.get("/types", summary="Types of material")
async def list_types(principal: CurrentPrincipal) -> TypesOut:
    """Kinds of digital materials (Circular 21/2017/TT-BGDĐT art. 2(2))."""
    principal.require_scope(SCOPE)
    return TypesOut(items=TypeOut.all())


@router.get("/licences", summary="Licences to choose from")
async def list_licences(principal: CurrentPrincipal) -> LicencesOut:
    """Licences teachers choose from, as SPDX identifiers; a material may carry any other one of SPDX as well."""
    principal.require_scope(SCOPE)
    return LicencesOut(items=list(Licence))
