"""The engineer's own issues, on a phone."""

from fastapi import APIRouter

router = APIRouter()
