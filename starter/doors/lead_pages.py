"""The department's board."""

from fastapi import APIRouter

router = APIRouter()
