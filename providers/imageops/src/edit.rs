//! What is done to a picture.

use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat};
use mediaconduit_provider::v1::MediaInfo;
use mediaconduit_provider::{Call, Cancelled, Error, Failure, Result};
use serde::Deserialize;

use crate::picture::{FORMATS, Picture, encode};
use crate::unusable;

/// What to keep, in pixels of the input.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Crop {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Fit {
    #[default]
    Contain,
    Cover,
    Stretch,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Filter {
    Nearest,
    Triangle,
    CatmullRom,
    #[default]
    Lanczos3,
}

/// The operations of one call, in the order they are done.
#[derive(Debug)]
pub struct Edit {
    crop: Option<Crop>,
    width: Option<u32>,
    height: Option<u32>,
    fit: Fit,
    filter: Filter,
    blur: f32,
    /// None = as the input.
    format: Option<ImageFormat>,
    quality: u8,
}

/// The picture that was made.
pub struct Made {
    pub content: Vec<u8>,
    pub media_type: &'static str,
    pub info: MediaInfo,
}

impl Edit {
    /// What the options of a call ask for.
    pub fn of(call: &Call) -> Result<Edit, Failure> {
        let wanted = &call.options.output_media_types;
        let format = if wanted.is_empty() {
            None
        } else {
            let chosen = call.media_type(&[])?;
            FORMATS.iter().find(|(media_type, _)| *media_type == chosen).map(|(_, format)| *format)
        };
        Ok(Edit {
            crop: call.option("extra.crop"),
            width: call.option("image.width"),
            height: call.option("image.height"),
            fit: call.option("extra.fit").unwrap_or_default(),
            filter: call.option("extra.filter").unwrap_or_default(),
            blur: call.option("extra.blur").unwrap_or_default(),
            format,
            quality: call.option("extra.quality").unwrap_or(85),
        })
    }

    /// Does it, and stops between two operations when nobody wants the result any more.
    pub fn apply(&self, picture: Picture, cancelled: &Cancelled) -> Result<Made> {
        let wanted = || if cancelled.is_set() { Err(Error::unexpected("cancelled")) } else { Ok(()) };
        let mut image = picture.image;
        if let Some(crop) = self.crop {
            image = cropped(&image, crop)?;
        }
        wanted()?;
        image = self.resized(image);
        wanted()?;
        if self.blur > 0.0 {
            image = image.fast_blur(self.blur);
        }
        wanted()?;
        let format = self.format.unwrap_or(picture.format);
        let media_type = FORMATS.iter().find(|(_, known)| *known == format).map_or("image/png", |(name, _)| *name);
        let info = MediaInfo { width: image.width() as i32, height: image.height() as i32, ..MediaInfo::default() };
        Ok(Made { content: encode(&image, format, self.quality)?, media_type, info })
    }

    fn resized(&self, image: DynamicImage) -> DynamicImage {
        let filter = match self.filter {
            Filter::Nearest => FilterType::Nearest,
            Filter::Triangle => FilterType::Triangle,
            Filter::CatmullRom => FilterType::CatmullRom,
            Filter::Lanczos3 => FilterType::Lanczos3,
        };
        match (self.width, self.height, self.fit) {
            (None, None, _) => image,
            (Some(width), Some(height), Fit::Stretch) => image.resize_exact(width, height, filter),
            (Some(width), Some(height), Fit::Cover) => image.resize_to_fill(width, height, filter),
            // The side that is not given follows from the other.
            (width, height, _) => {
                image.resize(width.unwrap_or(crate::MAX_SIDE), height.unwrap_or(crate::MAX_SIDE), filter)
            }
        }
    }
}

fn cropped(image: &DynamicImage, crop: Crop) -> Result<DynamicImage, Failure> {
    let Crop { x, y, width, height } = crop;
    let inside = |from: u32, size: u32, whole: u32| from.checked_add(size).is_some_and(|end| end <= whole);
    if !inside(x, width, image.width()) || !inside(y, height, image.height()) {
        let (has, high) = (image.width(), image.height());
        return Err(unusable(
            "options.extra.crop",
            format!("reaches out of the picture, which has {has} × {high} pixels"),
        ));
    }
    Ok(image.crop_imm(x, y, width, height))
}
