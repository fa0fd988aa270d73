"""What every request goes through before a door opens, and every answer on its way out.

Plain ASGI around the whole app, so that not even an answer about a fault of ours goes without.
"""
