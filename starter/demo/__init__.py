"""A demonstration: the whole desk at work on this machine, with a world around it that is ours."""

from starter.demo.command import demo

__all__ = ["demo"]
