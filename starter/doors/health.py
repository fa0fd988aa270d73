"""Whether the doors live, are ready, and how the desk does."""

from fastapi import APIRouter

router = APIRouter()
