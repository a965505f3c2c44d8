"""What is sent to many: campaigns of a post in its languages, and the digest of a week."""
