"""Files and streams: CSV, Parquet and Feather. Every fault is named; a file is written whole or not at all."""
