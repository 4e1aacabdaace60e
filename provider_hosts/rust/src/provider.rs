//! What authors implement, and how they describe their models.

use std::future::{Future, ready};

use serde_json::{Map, Value};

use crate::call::Call;
use crate::error::Result;
use crate::host::Loading;
use crate::output::Output;
use crate::v1::{ModelState, Pricing};

/// Turns media into media. One value serves all calls of a sidecar, concurrently.
pub trait Provider: Send + Sync + 'static {
    /// Lists the models. Asked again after every `configure`, and when a caller wants a fresh list.
    fn models(&self) -> impl Future<Output = Result<Vec<Model>>> + Send;

    /// Does the work: reads the call and writes to `out`. A call that is cancelled, or whose deadline passes, is dropped
    /// where it awaits. Work that blocks belongs into [`Call::blocking`].
    fn transform(&self, call: &Call, out: &Output) -> impl Future<Output = Result<()>> + Send;

    /// Prepares what calls need. The sidecar takes no calls until it returns, and an error ends it.
    fn setup(&self, _loading: &Loading) -> impl Future<Output = Result<()>> + Send {
        ready(Ok(()))
    }

    /// Takes settings, valid by the schema of the [`Definition`], in place of those before. A failure refuses them.
    fn configure(&self, _settings: Map<String, Value>) -> impl Future<Output = Result<()>> + Send {
        ready(Ok(()))
    }

    /// Frees what the provider holds, once, when the sidecar ends.
    fn close(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }
}

/// What is hosted.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Used where nobody says which id the provider is to have.
    pub id: String,
    /// For people; the id where empty.
    pub display_name: String,
    /// JSON Schema of an object, as JSON text; secrets are marked `"writeOnly": true`.
    pub settings_schema: String,
    /// Calls at once, one more is refused; 0 = no limit.
    pub max_concurrency: usize,
}

impl Definition {
    /// One without settings, for 16 calls at once.
    pub fn new(id: impl Into<String>) -> Self {
        Definition {
            id: id.into(),
            display_name: String::new(),
            settings_schema: r#"{"type":"object","additionalProperties":false}"#.into(),
            max_concurrency: 16,
        }
    }
}

/// An option a model takes.
#[derive(Clone, Debug)]
pub struct Opt {
    /// Its place in TransformOptions (`seed`, `text.temperature`, durations in seconds); a model's own begin with
    /// `extra.`.
    pub path: String,
    /// JSON Schema, as JSON text.
    pub schema: String,
}

impl Opt {
    /// An option.
    pub fn new(path: impl Into<String>, schema: impl Into<String>) -> Self {
        Opt { path: path.into(), schema: schema.into() }
    }
}

/// An input a model takes. The host enforces it.
#[derive(Clone, Debug, Default)]
pub struct InputSpec {
    /// `Part.name`; empty for the main input.
    pub name: String,
    /// Accepted media types (`image/*`); empty accepts any.
    pub media_types: Vec<String>,
    /// A call without it is refused.
    pub required: bool,
    /// Largest size in bytes; 0 = no limit.
    pub max_bytes: u64,
    /// Most parts with this name; 0 = 1. Main inputs are not counted.
    pub max_count: u32,
}

/// A model of a provider.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The vendor's own id; becomes `providers/{provider}/models/{id}`.
    pub id: String,
    /// What it does (`text-to-image`).
    pub capabilities: Vec<String>,
    pub display_name: String,
    pub description: String,
    /// All it takes: any other is refused, or dropped where the caller is lenient.
    pub options: Vec<Opt>,
    /// Inputs with names, media types and limits; the main one is taken as it comes when not listed.
    pub inputs: Vec<InputSpec>,
    /// What it can make, the default first.
    pub output_media_types: Vec<String>,
    pub features: Vec<String>,
    /// Tokens of input and output together; 0 = unknown.
    pub context_tokens: i64,
    /// 0 = unknown.
    pub max_output_tokens: i64,
    /// None = unknown; without rates = free.
    pub pricing: Option<Pricing>,
    /// For models on this machine.
    pub state: ModelState,
    /// The same for the same model at other providers.
    pub canonical_id: String,
}

impl Model {
    /// A model that does this.
    pub fn new<const N: usize>(id: impl Into<String>, capabilities: [&str; N]) -> Self {
        Model { id: id.into(), capabilities: capabilities.map(String::from).to_vec(), ..Default::default() }
    }

    pub(crate) fn shown(&self) -> &str {
        if self.display_name.is_empty() { &self.id } else { &self.display_name }
    }
}
