"""The gRPC services clients see. They translate; what they do is done elsewhere."""
