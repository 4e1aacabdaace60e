"""The wire style of Google's Gemini API."""
