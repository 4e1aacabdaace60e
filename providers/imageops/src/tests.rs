use std::io::Cursor;

use image::{DynamicImage, GenericImageView, ImageFormat, Rgb, RgbImage};
use mediaconduit_provider::testing::{Outcome, Served, data, text};
use mediaconduit_provider::v1::transform_event::Event;
use mediaconduit_provider::v1::{ImageOptions, TransformOptions};
use mediaconduit_provider::{Failure, Reason};
use prost_types::value::Kind;
use serde_json::Value;

use super::*;

/// Left half red, right half blue.
fn halves(width: u32, height: u32) -> DynamicImage {
    let color = |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) };
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, color))
}

fn written(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut content = Cursor::new(Vec::new());
    image.write_to(&mut content, format).unwrap();
    content.into_inner()
}

fn png(width: u32, height: u32) -> Vec<u8> {
    written(&halves(width, height), ImageFormat::Png)
}

fn extra(values: Value) -> Option<prost_types::Struct> {
    fn value(from: &Value) -> prost_types::Value {
        let kind = match from {
            Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap()),
            Value::String(text) => Kind::StringValue(text.clone()),
            _ => Kind::StructValue(fields(from)),
        };
        prost_types::Value { kind: Some(kind) }
    }
    fn fields(from: &Value) -> prost_types::Struct {
        let fields = from.as_object().unwrap().iter().map(|(name, from)| (name.clone(), value(from))).collect();
        prost_types::Struct { fields }
    }
    Some(fields(&values))
}

fn size(width: Option<i32>, height: Option<i32>) -> TransformOptions {
    TransformOptions { image: Some(ImageOptions { width, height, ..Default::default() }), ..Default::default() }
}

async fn call(model: &str, content: Vec<u8>, options: TransformOptions) -> Result<Outcome, Failure> {
    let served = Served::start(definition(), ImageOps).await;
    let mut request = served.request(model, vec![data("image/png", content)]);
    request.options = Some(options);
    served.call(request).await
}

async fn edited(content: Vec<u8>, options: TransformOptions) -> DynamicImage {
    image::load_from_memory(&call("edit", content, options).await.unwrap().data).unwrap()
}

async fn told(content: Vec<u8>, colors: u32) -> Value {
    let options = TransformOptions { extra: extra(serde_json::json!({"colors": colors})), ..Default::default() };
    let outcome = call("describe", content, options).await.unwrap();
    assert_eq!(outcome.media_type, "application/json");
    serde_json::from_str(&outcome.text).unwrap()
}

#[tokio::test]
async fn a_side_that_is_not_given_follows_from_the_other() {
    assert_eq!(edited(png(40, 20), size(Some(10), None)).await.dimensions(), (10, 5));
    assert_eq!(edited(png(40, 20), size(None, Some(60))).await.dimensions(), (120, 60));
}

#[tokio::test]
async fn two_sides_are_fitted_filled_or_forced() {
    for (fit, dimensions) in [("contain", (10, 5)), ("cover", (10, 10)), ("stretch", (10, 10))] {
        let options = TransformOptions { extra: extra(serde_json::json!({"fit": fit})), ..size(Some(10), Some(10)) };
        assert_eq!(edited(png(40, 20), options).await.dimensions(), dimensions, "{fit}");
    }
}

#[tokio::test]
async fn a_crop_keeps_what_it_names() {
    let crop = serde_json::json!({"crop": {"x": 20, "y": 5, "width": 20, "height": 10}});
    let made = edited(png(40, 20), TransformOptions { extra: extra(crop), ..Default::default() }).await;
    assert_eq!(made.dimensions(), (20, 10));
    assert!(made.to_rgb8().pixels().all(|pixel| pixel.0 == [0, 0, 255]));
}

#[tokio::test]
async fn a_crop_out_of_the_picture_is_refused_by_name() {
    let crop = serde_json::json!({"crop": {"x": 30, "y": 0, "width": 20, "height": 10}});
    let options = TransformOptions { extra: extra(crop), ..Default::default() };
    let failure = call("edit", png(40, 20), options).await.unwrap_err();
    assert_eq!((failure.reason, failure.fields[0].field.as_str()), (Reason::InputInvalid, "options.extra.crop"));
}

#[tokio::test]
async fn a_blur_mixes_neighbours() {
    let options = TransformOptions { extra: extra(serde_json::json!({"blur": 3})), ..Default::default() };
    let middle = edited(png(40, 20), options).await.to_rgb8().get_pixel(20, 10).0;
    assert!(middle[0] > 30 && middle[2] > 30, "{middle:?}");
}

#[tokio::test]
async fn every_format_is_written_and_the_inputs_own_without_a_wish() {
    for (media_type, format) in FORMATS {
        let options = TransformOptions { output_media_types: vec![media_type.into()], ..Default::default() };
        let outcome = call("edit", png(8, 8), options).await.unwrap();
        assert_eq!(outcome.media_type, media_type);
        assert_eq!(image::guess_format(&outcome.data).unwrap(), format);
        let again = call("edit", outcome.data, TransformOptions::default()).await.unwrap();
        assert_eq!(again.media_type, media_type, "as it came");
    }
}

#[tokio::test]
async fn the_output_says_how_large_it_is() {
    let outcome = call("edit", png(40, 20), size(Some(10), None)).await.unwrap();
    let info = outcome.events.iter().find_map(|event| match &event.event {
        Some(Event::OutputCompleted(completed)) => completed.info.clone(),
        _ => None,
    });
    let info = info.unwrap();
    assert_eq!((info.width, info.height), (10, 5));
}

#[tokio::test]
async fn what_lies_behind_a_transparent_picture_becomes_white_in_a_jpeg() {
    let clear = DynamicImage::new_rgba8(8, 8);
    let options = TransformOptions { output_media_types: vec!["image/jpeg".into()], ..Default::default() };
    let made = edited(written(&clear, ImageFormat::Png), options).await;
    assert!(made.to_rgb8().pixels().all(|pixel| pixel.0.iter().all(|value| *value > 250)));
}

#[tokio::test]
async fn what_is_no_picture_is_refused() {
    let mut cut = png(40, 20);
    cut.truncate(60);
    for content in [b"hello".to_vec(), cut] {
        for model in ["edit", "describe"] {
            let failure = call(model, content.clone(), TransformOptions::default()).await.unwrap_err();
            assert_eq!(failure.reason, Reason::InputInvalid);
            assert_eq!(failure.fields[0].field, "turns[0].parts[0]");
        }
    }
}

#[tokio::test]
async fn a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() {
    // A header that promises 100,000 × 100,000 pixels, as a bomb does.
    let mut bomb = png(8, 8);
    bomb[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
    let crc = crc32(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&crc.to_be_bytes());
    let failure = call("describe", bomb, TransformOptions::default()).await.unwrap_err();
    assert!(failure.message.contains("100000 × 100000"), "{}", failure.message);
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[tokio::test]
async fn another_kind_of_input_is_refused_by_name() {
    let served = Served::start(definition(), ImageOps).await;
    let failure = served.call(served.request("edit", vec![text("a picture")])).await.unwrap_err();
    assert_eq!(failure.fields[0].field, "turns[0].parts[0].media_type");
}

#[tokio::test]
async fn the_palette_holds_the_colours_and_their_shares() {
    let told = told(png(40, 20), 5).await;
    assert_eq!(
        told["palette"],
        serde_json::json!([
            {"color": "#0000ff", "share": 0.5}, {"color": "#ff0000", "share": 0.5},
        ])
    );
    assert_eq!(told["average"], "#800080");
    assert_eq!((&told["width"], &told["media_type"]), (&Value::from(40), &Value::from("image/png")));
}

#[tokio::test]
async fn a_palette_has_no_more_colours_than_asked_for() {
    let rainbow = RgbImage::from_fn(64, 64, |x, y| Rgb([x as u8 * 4, y as u8 * 4, 128]));
    let content = written(&DynamicImage::ImageRgb8(rainbow), ImageFormat::Png);
    let palette = told(content, 7).await["palette"].as_array().unwrap().clone();
    assert_eq!(palette.len(), 7);
    let whole: f64 = palette.iter().map(|swatch| swatch["share"].as_f64().unwrap()).sum();
    assert!((whole - 1.0).abs() < 0.001, "{whole}");
}

#[tokio::test]
async fn hashes_stay_when_a_picture_is_made_smaller_and_differ_for_another() {
    let bits = |told: &Value, name: &str| u64::from_str_radix(told["hashes"][name].as_str().unwrap(), 16).unwrap();
    let scene = |x: u32, y: u32| Rgb([(x / 2) as u8, (y / 2) as u8, ((x * y) / 512) as u8]);
    let large = DynamicImage::ImageRgb8(RgbImage::from_fn(512, 512, scene));
    let small = large.resize(100, 100, image::imageops::FilterType::Triangle);
    let other = large.rotate90();
    let mut found = Vec::new();
    for image in [&large, &small, &other] {
        found.push(told(written(image, ImageFormat::Png), 1).await);
    }
    for name in ["difference", "perceptual"] {
        let [a, b, c] = [0, 1, 2].map(|at| bits(&found[at], name));
        assert!((a ^ b).count_ones() <= 4, "{name}: {a:016x} {b:016x}");
        assert!((a ^ c).count_ones() > 10, "{name}: {a:016x} {c:016x}");
    }
}
