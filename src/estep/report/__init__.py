"""What is told of a fit: a summary in text, and plots. Each function takes a fitted estimator."""
