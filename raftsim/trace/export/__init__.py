"""Traces in the forms that other tools read. Each file knows one of them, as a function from records to lines."""
