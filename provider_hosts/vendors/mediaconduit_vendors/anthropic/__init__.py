"""The wire style of Anthropic's Messages API, which some engines speak too."""
