"""What the tests of vendors share."""
