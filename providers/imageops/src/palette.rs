//! The colours of a picture, by median cut.

use std::cmp::Reverse;

/// A colour and which share of the pixels is closest to it.
#[derive(Debug, PartialEq)]
pub struct Color {
    pub rgb: [u8; 3],
    pub share: f64,
}

/// At most so many colours, the most frequent first.
pub fn palette(mut pixels: Vec<[u8; 3]>, most: usize) -> Vec<Color> {
    let all = pixels.len() as f64;
    if pixels.is_empty() {
        return Vec::new();
    }
    let mut boxes = vec![pixels.as_mut_slice()];
    while boxes.len() < most {
        // The box to cut: the one whose pixels differ most, weighed by how many they are.
        let Some((at, channel)) = (0..boxes.len())
            .filter_map(|at| {
                widest(boxes[at]).map(|(channel, range)| (u64::from(range) * boxes[at].len() as u64, at, channel))
            })
            .max()
            .map(|(_, at, channel)| (at, channel))
        else {
            break;
        };
        let cut = boxes.swap_remove(at);
        cut.sort_unstable_by_key(|pixel| pixel[channel]);
        let middle = cut[cut.len() / 2][channel];
        // Between two values, never within one.
        let below = cut.partition_point(|pixel| pixel[channel] < middle);
        let split = if below > 0 { below } else { cut.partition_point(|pixel| pixel[channel] <= middle) };
        let (low, high) = cut.split_at_mut(split);
        boxes.push(low);
        boxes.push(high);
    }
    let mut found: Vec<_> =
        boxes.iter().map(|pixels| Color { rgb: mean(pixels), share: pixels.len() as f64 / all }).collect();
    found.sort_by_key(|color| (Reverse((color.share * 1e9) as u64), color.rgb));
    found
}

/// The channel whose values differ most, and by how much; None where all pixels are the same.
fn widest(pixels: &[[u8; 3]]) -> Option<(usize, u8)> {
    (0..3)
        .map(|channel| {
            let values = pixels.iter().map(|pixel| pixel[channel]);
            (channel, values.clone().max().unwrap_or(0) - values.min().unwrap_or(0))
        })
        .max_by_key(|(_, range)| *range)
        .filter(|(_, range)| *range > 0)
}

/// The mean of some colours.
pub fn mean(pixels: &[[u8; 3]]) -> [u8; 3] {
    let count = pixels.len().max(1) as u64;
    let sum = |channel: usize| pixels.iter().map(|pixel| u64::from(pixel[channel])).sum::<u64>();
    [0, 1, 2].map(|channel| ((sum(channel) + count / 2) / count) as u8)
}
