"""ElevenLabs: speech, voices, recognition, sounds."""
