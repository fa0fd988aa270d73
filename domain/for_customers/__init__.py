"""What customers read, in messages and on their page: nothing here is written for us."""
