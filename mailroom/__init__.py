"""The mailroom: the publication's own mailing service, which tells nobody who its subscribers are."""
