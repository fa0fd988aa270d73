"""The hotline agent's intake form."""

from fastapi import APIRouter

router = APIRouter()
