"""What people in need send: a form, sealed before anything is written, kept until an expert has fetched it."""
