"""The desk for programs: one file a resource, and how the interface is described."""
