"""Tables, transactions, repositories, and blobs: the only place of SQL."""
