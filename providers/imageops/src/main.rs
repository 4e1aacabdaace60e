//! A MediaConduit provider for what is done to pictures without a model: resize, crop, convert, blur; palette and hashes.

mod describe;
mod edit;
mod palette;
mod picture;

use mediaconduit_provider::v1::{Pricing, Usage};
use mediaconduit_provider::{Call, Definition, Failure, InputSpec, Model, Opt, Output, Provider, Result, Spec, serve};

use crate::edit::Edit;
use crate::picture::{FORMATS, Picture};

/// Largest picture in bytes; how many pixels it may have is in `picture`.
const MAX_BYTES: u64 = 32 << 20;
/// Widest and highest that is made.
const MAX_SIDE: u32 = 8192;
/// A picture of 40 million pixels takes 160 MB for as long as it is worked on, and as much again for its result.
const AT_ONCE: usize = 4;

fn main() {
    serve(definition(), |_secrets| Ok(ImageOps))
}

fn definition() -> Definition {
    Definition { display_name: "Image operations".into(), max_concurrency: AT_ONCE, ..Definition::new("imageops") }
}

struct ImageOps;

impl Provider for ImageOps {
    async fn models(&self) -> Result<Vec<Model>> {
        Ok(vec![edit_model(), describe_model()])
    }

    async fn transform(&self, call: &Call, out: &Output) -> Result<()> {
        let input = call.input("")?;
        let (content, field) = (input.read().await?.into_owned(), input.field().to_owned());
        match call.capability.as_str() {
            "image-to-image" => make(call, out, content, field).await,
            _ => tell(call, out, content, field).await,
        }
    }
}

async fn make(call: &Call, out: &Output, content: Vec<u8>, field: String) -> Result<()> {
    let edit = Edit::of(call)?;
    let made = call
        .blocking(move |cancelled| {
            let picture = Picture::decode(&content, &field)?;
            drop(content);
            Ok(edit.apply(picture, cancelled)?)
        })
        .await?;
    let output = out.begin(Spec { media_type: made.media_type.into(), ..Spec::default() }).await?;
    output.data(made.content).await?;
    output.done(Some(made.info)).await?;
    out.usage(Usage { units: [("image".into(), 1)].into(), ..Usage::default() }).await
}

async fn tell(call: &Call, out: &Output, content: Vec<u8>, field: String) -> Result<()> {
    let colors = call.option("extra.colors").unwrap_or(5);
    let text = call
        .blocking(move |_| Ok(serde_json::to_string(&describe::describe(Picture::decode(&content, &field)?, colors))?))
        .await?;
    out.text(text + "\n").await?;
    out.usage(Usage { units: [("input-image".into(), 1)].into(), ..Usage::default() }).await
}

fn input() -> Vec<InputSpec> {
    let media_types = FORMATS.iter().map(|(media_type, _)| (*media_type).into()).collect();
    vec![InputSpec { media_types, required: true, max_bytes: MAX_BYTES, ..InputSpec::default() }]
}

fn edit_model() -> Model {
    let side = format!(r#"{{"type":"integer","minimum":1,"maximum":{MAX_SIDE}}}"#);
    Model {
        display_name: "Edit a picture".into(),
        description: "Crops, resizes, blurs and converts, in this order.".into(),
        options: vec![
            Opt::new("image.width", &side),
            Opt::new("image.height", &side),
            Opt::new(
                "extra.fit",
                r#"{"type":"string","enum":["contain","cover","stretch"],"default":"contain","description":"When both width and height are given: fit into them, fill them and cut the rest off, or become exactly as wide and high."}"#,
            ),
            Opt::new(
                "extra.filter",
                r#"{"type":"string","enum":["nearest","triangle","catmull-rom","lanczos3"],"default":"lanczos3","description":"How pixels are made of others when resizing."}"#,
            ),
            Opt::new(
                "extra.crop",
                r#"{"type":"object","properties":{"x":{"type":"integer","minimum":0},"y":{"type":"integer","minimum":0},"width":{"type":"integer","minimum":1},"height":{"type":"integer","minimum":1}},"required":["x","y","width","height"],"additionalProperties":false,"description":"What to keep, in pixels of the input."}"#,
            ),
            Opt::new(
                "extra.blur",
                r#"{"type":"number","minimum":0,"maximum":100,"default":0,"description":"Radius in pixels."}"#,
            ),
            Opt::new(
                "extra.quality",
                r#"{"type":"integer","minimum":1,"maximum":100,"default":85,"description":"Of a JPEG."}"#,
            ),
        ],
        inputs: input(),
        output_media_types: FORMATS.iter().map(|(media_type, _)| (*media_type).into()).collect(),
        pricing: Some(Pricing::default()),
        ..Model::new("edit", ["image-to-image"])
    }
}

fn describe_model() -> Model {
    Model {
        display_name: "Describe a picture".into(),
        description: "Size, palette and perceptual hashes, as JSON.".into(),
        options: vec![Opt::new(
            "extra.colors",
            r#"{"type":"integer","minimum":1,"maximum":32,"default":5,"description":"How many colours the palette has at most."}"#,
        )],
        inputs: input(),
        output_media_types: vec!["application/json".into()],
        pricing: Some(Pricing::default()),
        ..Model::new("describe", ["image-to-text"])
    }
}

/// The call's picture cannot be worked with as it is.
fn unusable(field: &str, why: impl Into<String>) -> Failure {
    Failure::invalid(field, why)
}

#[cfg(test)]
mod tests;
