"""Signing in and out, with a token or by the company's own provider."""

from fastapi import APIRouter

router = APIRouter()
