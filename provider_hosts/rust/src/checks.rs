//! Checks of the input that all providers share.

use std::collections::{HashMap, HashSet};

use crate::error::{Failure, FieldViolation, Reason};
use crate::media_types::{base_of, is_text, matches, matches_any};
use crate::provider::{InputSpec, Model};
use crate::v1::part::Content;
use crate::v1::{Part, Role, TransformOptions, TransformRequest, Turn};

/// Refuses input that the model cannot take.
pub(crate) fn check_request(request: &TransformRequest, model: &Model) -> Result<(), Failure> {
    let resumes = request.turns.is_empty() && !request.resume_token.is_empty();
    let holds = |turn: &Turn| turn.role() != Role::System && turn.parts.iter().any(has_content);
    if !resumes && !request.turns.iter().any(holds) {
        return Err(Failure::invalid("turns", "the input is empty").hint("send text, or a part with content"));
    }
    check_turns(&request.turns, model, request.options.as_ref())?;
    let given: HashSet<_> =
        request.turns.iter().filter(|turn| is_user(turn)).flat_map(|turn| &turn.parts).map(|part| &part.name).collect();
    for spec in &model.inputs {
        if spec.required && !spec.name.is_empty() && !given.contains(&spec.name) && !resumes {
            return Err(Failure::invalid("turns", format!("input {:?} is missing", spec.name))
                .hint(format!("add a part with the name {:?}", spec.name)));
        }
    }
    let wanted = request.options.as_ref().map(|options| options.output_media_types.as_slice()).unwrap_or_default();
    let made = &model.output_media_types;
    if wanted.is_empty() || made.is_empty() || made.iter().any(|made| matches_any(wanted, made)) {
        return Ok(());
    }
    let description = format!("{} cannot be made; allowed: {}", wanted.join(", "), made.join(", "));
    Err(Failure::invalid("options.output_media_types", description))
}

/// Looks at names, media types, sizes and numbers of the parts of user turns.
fn check_turns(turns: &[Turn], model: &Model, options: Option<&TransformOptions>) -> Result<(), Failure> {
    let mut counts: HashMap<&str, u32> = HashMap::new();
    let mut found = Vec::new();
    for (t, turn) in turns.iter().enumerate().filter(|(_, turn)| is_user(turn)) {
        for (p, part) in turn.parts.iter().enumerate().filter(|(_, part)| is_media(part)) {
            let count = counts.entry(&part.name).or_default();
            *count += 1;
            let field = format!("turns[{t}].parts[{p}]");
            match spec_for(model, &part.name, options) {
                Some(spec) => {
                    check_size(part, &field, &spec, model)?;
                    violations(part, &field, &spec, *count, &mut found);
                }
                None => {
                    let description = format!("the model takes no input {:?}; {}", part.name, named(model));
                    found.push(FieldViolation { field: format!("{field}.name"), description });
                }
            }
        }
    }
    if found.is_empty() { Ok(()) } else { Err(Failure::invalid_fields(found)) }
}

/// What the model says about inputs of that name; None when it knows none. Samples of speakers are taken as "voice" is.
pub(crate) fn spec_for(model: &Model, name: &str, options: Option<&TransformOptions>) -> Option<InputSpec> {
    if let Some(spec) = model.inputs.iter().find(|spec| spec.name == name) {
        return Some(spec.clone());
    }
    if name.is_empty() {
        return Some(InputSpec::default());
    }
    let speakers = options.and_then(|options| options.audio.as_ref()).map(|audio| audio.speakers.as_slice());
    let is_sample = speakers.unwrap_or_default().iter().any(|speaker| speaker.voice_part == name);
    is_sample.then(|| model.inputs.iter().find(|spec| spec.name == "voice").cloned()).flatten()
}

fn violations(part: &Part, field: &str, spec: &InputSpec, count: u32, found: &mut Vec<FieldViolation>) {
    let media_type = media_type_of(part);
    let mut add = |field: String, description: String| found.push(FieldViolation { field, description });
    if !spec.media_types.is_empty() && !spec.media_types.iter().any(|pattern| matches(pattern, &media_type)) {
        let allowed = spec.media_types.join(", ");
        add(format!("{field}.media_type"), format!("{media_type} is not taken here; allowed: {allowed}"));
    }
    let most = spec.max_count.max(1);
    if !part.name.is_empty() && count > most {
        add(format!("{field}.name"), format!("at most {most} inputs {:?} are taken", part.name));
    }
    if !has_content(part) && (!part.name.is_empty() || !matches!(part.content, Some(Content::Text(_)))) {
        add(field.into(), "is empty".into());
    }
    if let Some(Content::Data(data)) = &part.content
        && is_text(&media_type)
        && std::str::from_utf8(data).is_err()
    {
        add(field.into(), format!("says it is {media_type} but is not text in UTF-8"));
    }
}

fn named(model: &Model) -> String {
    let names: Vec<_> =
        model.inputs.iter().filter(|spec| !spec.name.is_empty()).map(|spec| format!("{:?}", spec.name)).collect();
    if names.is_empty() { "it takes no named inputs".into() } else { format!("it takes {}", names.join(", ")) }
}

fn check_size(part: &Part, field: &str, spec: &InputSpec, model: &Model) -> Result<(), Failure> {
    let size = match &part.content {
        Some(Content::Text(text)) => text.len() as u64,
        Some(Content::Data(data)) => data.len() as u64,
        Some(Content::Asset(asset)) => asset.size_bytes.unwrap_or(0) as u64,
        _ => 0,
    };
    let limit = spec.max_bytes;
    if limit == 0 || size <= limit {
        return Ok(());
    }
    Err(too_large(format!("{field} has {size} bytes; {} takes at most {limit}", model.id), size, limit))
}

pub(crate) fn too_large(message: String, actual: u64, limit: u64) -> Failure {
    Failure::new(Reason::InputTooLarge, message).with("limit", limit.to_string()).with("actual", actual.to_string())
}

pub(crate) fn is_user(turn: &Turn) -> bool {
    matches!(turn.role(), Role::Unspecified | Role::User)
}

/// A part that is input, not a tool's or the model's own.
pub(crate) fn is_media(part: &Part) -> bool {
    matches!(part.content, Some(Content::Text(_) | Content::Data(_) | Content::Asset(_) | Content::Stream(_)))
}

fn has_content(part: &Part) -> bool {
    match &part.content {
        None => false,
        Some(Content::Text(text)) => !text.is_empty(),
        Some(Content::Data(data)) => !data.is_empty(),
        Some(_) => true,
    }
}

/// The capability meant where none was named: what suits the last user turn, else the model's first. An image with words
/// about it is an image.
pub(crate) fn infer_capability(model: &Model, turns: &[Turn]) -> String {
    let said = turns.iter().rev().find(|turn| is_user(turn)).map(|turn| turn.parts.as_slice()).unwrap_or_default();
    let mut kinds: Vec<_> = said.iter().filter(|part| part.name.is_empty()).map(kind_of).collect();
    kinds.sort_by_key(|kind| kind == "text");
    kinds
        .iter()
        .find_map(|kind| model.capabilities.iter().find(|known| known.starts_with(&format!("{kind}-to-"))))
        .or(model.capabilities.first())
        .cloned()
        .unwrap_or_default()
}

/// Which kind of media a part is, as capabilities name it.
fn kind_of(part: &Part) -> String {
    let media_type = media_type_of(part);
    if matches!(part.content, Some(Content::Text(_))) || is_text(&media_type) {
        return "text".into();
    }
    match base_of(&media_type).split('/').next() {
        Some("model") => "3d".into(),
        kind => kind.unwrap_or_default().into(),
    }
}

/// What a part says it is.
pub(crate) fn media_type_of(part: &Part) -> String {
    match &part.content {
        _ if !part.media_type.is_empty() => part.media_type.clone(),
        Some(Content::Asset(asset)) => asset.media_type.clone(),
        Some(Content::Text(_)) => "text/plain".into(),
        _ => "application/octet-stream".into(),
    }
}

/// The text a part holds, also one sent as bytes of a text; empty when it holds none.
pub(crate) fn text_of(part: &Part) -> String {
    match &part.content {
        Some(Content::Text(text)) => text.clone(),
        Some(Content::Data(data)) if is_text(&part.media_type) => String::from_utf8_lossy(data).into_owned(),
        _ => String::new(),
    }
}
