"""What the desk runs on: settings, connections, logging, the embedded servers."""
