"""Estimators in model files: what a file says of one, and an estimator made again from what it says."""
