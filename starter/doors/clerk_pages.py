"""The callback clerk's day."""

from fastapi import APIRouter

router = APIRouter()
