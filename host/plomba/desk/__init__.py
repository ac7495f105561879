"""The order desk: which orders there are, where each one stands by verified scans alone, who holds it now."""
