"""Audio, images and video with ffmpeg.

provider    what the host calls: one call from input to output
models      what it offers: models, options with their ranges
plans       options and facts about the input -> what ffmpeg shall do (pure)
overlays    the overlay's part of that (pure)
slides      the slide show's part of that (pure)
commands    pieces of command lines (pure)
filters     which filters a caller may use (pure)
formats     media types, demuxers, muxers, codecs (tables)
probe       ffmpeg's banner -> facts (pure)
progress    ffmpeg's progress and errors -> the contract's (pure)
sources     inputs: piped or spooled, probed, checked
process     one running ffmpeg
binary      which ffmpeg
"""

from ffmpeg_provider.provider import Ffmpeg

__all__ = ["Ffmpeg"]
