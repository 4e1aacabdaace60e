//! Pictures in and out: formats, limits, orientation.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use mediaconduit_provider::{Failure, Result};

use crate::unusable;

/// Most pixels of a picture that is taken.
pub const MAX_PIXELS: u64 = 40_000_000;
/// What decoding may allocate beside the picture itself.
const DECODER_BYTES: u64 = 512 << 20;

/// What is read and written, the default first.
pub const FORMATS: [(&str, ImageFormat); 5] = [
    ("image/png", ImageFormat::Png),
    ("image/jpeg", ImageFormat::Jpeg),
    ("image/webp", ImageFormat::WebP),
    ("image/gif", ImageFormat::Gif),
    ("image/bmp", ImageFormat::Bmp),
];

/// A decoded picture, upright.
pub struct Picture {
    pub image: DynamicImage,
    pub format: ImageFormat,
}

impl Picture {
    /// Decodes by content, whatever its media type says. Of an animation the first frame is taken.
    pub fn decode(content: &[u8], field: &str) -> Result<Picture, Failure> {
        let odd = |error: ImageError| unusable(field, explain(&error));
        let mut reader = ImageReader::new(Cursor::new(content))
            .with_guessed_format()
            .map_err(|_| unusable(field, "cannot be read"))?;
        let format = reader.format().filter(|format| FORMATS.iter().any(|(_, known)| known == format));
        let Some(format) = format else {
            return Err(unusable(field, "is no picture of a format that is known here"));
        };
        let mut limits = Limits::default();
        limits.max_alloc = Some(DECODER_BYTES);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(odd)?;
        let (width, height) = decoder.dimensions();
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 || pixels > MAX_PIXELS {
            return Err(unusable(field, format!("has {width} × {height} pixels; from 1 to {MAX_PIXELS} are taken")));
        }
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut image = DynamicImage::from_decoder(decoder).map_err(odd)?;
        image.apply_orientation(orientation);
        Ok(Picture { image, format })
    }
}

fn explain(error: &ImageError) -> String {
    match error {
        ImageError::Limits(_) => "takes too much memory to decode".into(),
        ImageError::Unsupported(_) => "is of a kind that is not supported".into(),
        _ => "is damaged, or not what it says".into(),
    }
}

/// Writes a picture in a format, which may have to drop transparency or depth.
pub fn encode(image: &DynamicImage, format: ImageFormat, quality: u8) -> Result<Vec<u8>> {
    let mut content = Cursor::new(Vec::new());
    match format {
        ImageFormat::Jpeg => {
            on_white(image).write_with_encoder(JpegEncoder::new_with_quality(&mut content, quality))?
        }
        ImageFormat::Bmp | ImageFormat::Gif | ImageFormat::WebP => {
            DynamicImage::ImageRgba8(image.to_rgba8()).write_to(&mut content, format)?;
        }
        _ => image.write_to(&mut content, format)?,
    }
    Ok(content.into_inner())
}

/// The picture without transparency: what lies behind it is white.
fn on_white(image: &DynamicImage) -> DynamicImage {
    if !image.color().has_alpha() {
        return DynamicImage::ImageRgb8(image.to_rgb8());
    }
    let from = image.to_rgba8();
    let mut made = image::RgbImage::new(from.width(), from.height());
    for (to, pixel) in made.pixels_mut().zip(from.pixels()) {
        let [red, green, blue, alpha] = pixel.0.map(u16::from);
        to.0 = [red, green, blue].map(|value| ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8);
    }
    DynamicImage::ImageRgb8(made)
}
