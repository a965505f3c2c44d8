"""Kits: a text and the place for its translation in one file to mail, and the way back, from whatever file came.

Everything here takes bytes and values and gives bytes and values; nothing reads or writes a file.
"""
