"""A demonstration: the whole desk at work on this machine, with a world around it that is ours."""
