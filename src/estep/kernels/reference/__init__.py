"""The specification of every kernel, written as equations."""
