"""New articles become campaigns, pushed to a mailing service: see README.md."""
