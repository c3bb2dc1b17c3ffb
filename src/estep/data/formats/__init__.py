"""Files and streams: CSV, Parquet, Feather. Faults are named; a file is written whole or not at all."""
