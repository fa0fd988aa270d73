"""What is attached to issues, by what it is: each content once, under its SHA-256, outside the
register, in a folder of the desk's home or in a bucket.

A content is written whole or not at all, and is there for good before a row speaks of it. So a
crash leaves at most a content that no row speaks of, which the deep audit removes.
"""
