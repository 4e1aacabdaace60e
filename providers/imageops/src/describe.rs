//! What can be told of a picture without a model.

use std::f64::consts::PI;

use image::DynamicImage;
use image::imageops::FilterType;
use serde::Serialize;

use crate::palette::{mean, palette};
use crate::picture::{FORMATS, Picture};

/// Colours are counted in a picture of at most this many pixels a side.
const SAMPLE: u32 = 160;
/// Below this a pixel is taken for transparent.
const OPAQUE: u8 = 128;
/// Side of the picture whose frequencies make the hash, and of the lowest of them.
const HASHED: u32 = 32;
const LOWEST: usize = 8;

/// What is told.
#[derive(Serialize)]
pub struct Description {
    width: u32,
    height: u32,
    media_type: &'static str,
    /// `#rrggbb`; absent where all is transparent.
    average: Option<String>,
    palette: Vec<Swatch>,
    hashes: Hashes,
}

#[derive(Serialize)]
struct Swatch {
    color: String,
    share: f64,
}

/// 64 bits each, in hex. Two pictures look alike when few bits differ: ten or less.
#[derive(Serialize)]
struct Hashes {
    /// Whether brightness rises from left to right.
    difference: String,
    /// Which low frequencies are strong (DCT).
    perceptual: String,
}

/// Looks at a picture; `colors` is how many its palette has at most.
pub fn describe(picture: Picture, colors: usize) -> Description {
    let Picture { image, format } = picture;
    let sample =
        if image.width().max(image.height()) > SAMPLE { image.thumbnail(SAMPLE, SAMPLE) } else { image.clone() };
    let pixels: Vec<[u8; 3]> = sample
        .to_rgba8()
        .pixels()
        .filter(|pixel| pixel.0[3] >= OPAQUE)
        .map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2]])
        .collect();
    Description {
        width: image.width(),
        height: image.height(),
        media_type: FORMATS.iter().find(|(_, known)| *known == format).map_or("", |(name, _)| *name),
        average: (!pixels.is_empty()).then(|| hex(mean(&pixels))),
        palette: palette(pixels, colors)
            .into_iter()
            .map(|color| Swatch { color: hex(color.rgb), share: (color.share * 1e4).round() / 1e4 })
            .collect(),
        hashes: Hashes { difference: bits(&difference_hash(&image)), perceptual: bits(&perceptual_hash(&image)) },
    }
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn bits(hash: &u64) -> String {
    format!("{hash:016x}")
}

/// Brightness on a small picture, row by row. Transparent parts count as black.
fn grays(image: &DynamicImage, width: u32, height: u32) -> Vec<f64> {
    let small = image.resize_exact(width, height, FilterType::Triangle).to_luma8();
    small.pixels().map(|pixel| f64::from(pixel.0[0])).collect()
}

fn difference_hash(image: &DynamicImage) -> u64 {
    let grays = grays(image, 9, 8);
    let rises = grays.chunks(9).flat_map(|row| row.windows(2).map(|pair| pair[1] > pair[0]));
    rises.fold(0, |hash, rise| hash << 1 | u64::from(rise))
}

fn perceptual_hash(image: &DynamicImage) -> u64 {
    let side = HASHED as usize;
    let grays = grays(image, HASHED, HASHED);
    let wave = |at: usize, frequency: usize| ((2 * at + 1) as f64 * frequency as f64 * PI / (2 * side) as f64).cos();
    // First along the rows, then along the columns, for the lowest frequencies alone.
    let rows: Vec<[f64; LOWEST]> = grays
        .chunks(side)
        .map(|row| std::array::from_fn(|u| row.iter().enumerate().map(|(x, gray)| gray * wave(x, u)).sum()))
        .collect();
    let strength = |u: usize, v: usize| rows.iter().enumerate().map(|(y, row)| row[u] * wave(y, v)).sum::<f64>();
    let strengths: Vec<f64> =
        (0..LOWEST).flat_map(|v| (0..LOWEST).map(move |u| (u, v))).map(|(u, v)| strength(u, v)).collect();
    // The first is the brightness of it all, which is no part of how it looks.
    let mut sorted = strengths[1..].to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2];
    strengths.iter().fold(0, |hash, strength| hash << 1 | u64::from(*strength > median))
}
