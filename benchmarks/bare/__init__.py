"""The bare workflow: what Temporal alone costs a desk of this shape, measured beside the desk.

It does in Temporal what an issue does, and nothing else. The shape is data (``shape.py``): for each
transition the update that asks for it, its local activities, one upsert, the timers that end and
those that begin, and the activities that bring messages out on a task queue of their own. That much
is owed to anybody who wants a durable issue with people, clocks and messages, whatever it decides:
so it is the least that the desk can be compared with, and the desk's own work is what is above it.

What is left out is what the desk is for: no SQL, no decisions, no forms, no messages. Nothing is
sent along (an update has the transition's name, an answer nothing), an upsert is of one label, and
there are no pages, no summaries, no validators and no turns. So the bare one is a little less than
any real desk could be, never more.

The rest is the same as the desk's: the servers, the data converter, the runner (no sandbox, see
docs/adr/0024), the slots and caches of the settings, one process with two workers. ``workflow.py``
is the workflow with its activities, ``__main__.py`` the worker, ``calls.py`` whoever calls.
``tests/benchmarks/test_bare_shape.py`` leads an issue and a bare workflow through the same life and
compares what they ask of Temporal: if the desk does more or less one day, that test says so.
"""
