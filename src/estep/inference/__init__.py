"""What is asked of a fit: conditional laws, multiple imputation, tests, missing information."""
