"""What people do by a link in a message: no sign-in, one thing, once."""

from fastapi import APIRouter

router = APIRouter()
