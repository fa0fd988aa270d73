"""The audit trail over HTTP (R30)."""

from fastapi import APIRouter

router = APIRouter()
