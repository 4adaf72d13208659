"""What a running site says while its database hangs, is read-only or full: measured, and tested."""
