"""What a programmer would write by hand with grpc.aio: the baselines."""
