"""One module per vendor: ``CASES``, and ``NOT_APPLICABLE`` for rows that the vendor does not have."""
