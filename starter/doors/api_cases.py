"""Known solutions over HTTP (R8, R29)."""

from fastapi import APIRouter

router = APIRouter()
