"""What runs on the machine of an expert who opens submissions: never on the server."""
