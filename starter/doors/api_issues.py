"""Issues over HTTP: register, look, list, act."""

from fastapi import APIRouter

router = APIRouter()
