"""Clients of AI vendors APIs."""
