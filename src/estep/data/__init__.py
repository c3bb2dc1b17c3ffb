"""Sources of blocks: arrays, frames, files, sequences."""
