"""What training brings down: pure functions of vectors and labels."""
