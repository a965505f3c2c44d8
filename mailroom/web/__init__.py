"""What the mailroom says over HTTP: pages for readers, an API for the newsletter."""
