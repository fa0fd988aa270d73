"""What is true at a service desk: vocabulary, promises, calendars, policy and the life of an issue.

Pure: no I/O, no Temporal, no clock of its own. Every instant comes in as an argument.
"""
