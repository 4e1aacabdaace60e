//! The models of a provider, by name.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::error::{Failure, Reason};
use crate::options::OptionsSchema;
use crate::provider::Model;
use crate::v1;

const SUGGESTIONS: usize = 3;
const MEDIA: [&str; 5] = ["text", "image", "audio", "video", "3d"];
const RESULTS: [&str; 7] = ["text", "image", "audio", "video", "3d", "embedding", "scores"];

/// A model and what the host works out about it.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) model: Model,
    pub(crate) schema: OptionsSchema,
}

impl Entry {
    fn new(name: String, model: Model) -> Result<Self, String> {
        for capability in &model.capabilities {
            let (from, to) = capability.split_once("-to-").unwrap_or_default();
            if !MEDIA.contains(&from) || !RESULTS.contains(&to) {
                return Err(format!("{capability:?} is not a capability like 'text-to-audio'"));
            }
        }
        if model.features.iter().any(|feature| feature == "live") {
            return Err("the feature 'live' needs a host that holds conversations, which this one does not".into());
        }
        let schema = OptionsSchema::new(&model.options)?;
        Ok(Entry { name, model, schema })
    }

    /// As the contract has it; the schema of options only on demand.
    pub(crate) fn to_proto(&self, with_schema: bool) -> v1::Model {
        let model = &self.model;
        v1::Model {
            name: self.name.clone(),
            display_name: model.shown().into(),
            description: model.description.clone(),
            capabilities: model.capabilities.clone(),
            inputs: model.inputs.iter().map(input_spec).collect(),
            output_media_types: model.output_media_types.clone(),
            options_schema: if with_schema { self.schema.document.clone() } else { String::new() },
            pricing: model.pricing.clone(),
            context_tokens: model.context_tokens,
            max_output_tokens: model.max_output_tokens,
            features: model.features.clone(),
            state: model.state.into(),
            canonical_id: model.canonical_id.clone(),
            ..Default::default()
        }
    }
}

fn input_spec(spec: &crate::provider::InputSpec) -> v1::InputSpec {
    v1::InputSpec {
        name: spec.name.clone(),
        media_types: spec.media_types.clone(),
        required: spec.required,
        max_bytes: spec.max_bytes as i64,
        max_count: spec.max_count.max(1) as i32,
    }
}

/// Finds models by name.
pub(crate) struct Catalog {
    provider_id: String,
    listed: Mutex<Option<Listed>>,
}

/// What the provider said when it was last asked.
#[derive(Clone)]
pub(crate) struct Listed {
    pub(crate) entries: Arc<Vec<Arc<Entry>>>,
    pub(crate) time: SystemTime,
}

impl Catalog {
    pub(crate) fn new(provider_id: &str) -> Self {
        Catalog { provider_id: provider_id.into(), listed: Mutex::new(None) }
    }

    fn prefix(&self) -> String {
        format!("providers/{}/models/", self.provider_id)
    }

    /// As last listed; none after `forget`.
    pub(crate) fn listed(&self) -> Option<Listed> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes a new list. Fails for models that are described in a way that cannot be.
    pub(crate) fn take(&self, models: Vec<Model>) -> Result<Listed, String> {
        let mut seen = HashSet::new();
        let mut entries = Vec::with_capacity(models.len());
        for model in models {
            let id = model.id.clone();
            if id.is_empty() || !seen.insert(id.clone()) {
                return Err(format!("model id {id:?} is empty or there twice"));
            }
            let name = self.prefix() + &id;
            entries.push(Arc::new(Entry::new(name, model).map_err(|why| format!("model {id:?}: {why}"))?));
        }
        let listed = Listed { entries: Arc::new(entries), time: SystemTime::now() };
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = Some(listed.clone());
        Ok(listed)
    }

    /// The provider is asked again the next time: what it has may depend on its settings.
    pub(crate) fn forget(&self) {
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Everything any of the models can do.
    pub(crate) fn capabilities(&self) -> Vec<String> {
        let entries = self.listed().map(|listed| listed.entries).unwrap_or_default();
        let all: BTreeSet<_> = entries.iter().flat_map(|entry| entry.model.capabilities.iter().cloned()).collect();
        all.into_iter().collect()
    }

    /// The model of that name.
    pub(crate) fn find(&self, entries: &[Arc<Entry>], name: &str) -> Result<Arc<Entry>, Failure> {
        let prefix = self.prefix();
        if name.is_empty() {
            return Err(Failure::invalid("model", "no model is named").hint(format!("name one like {prefix}<model>")));
        }
        let id = match name.strip_prefix(&prefix) {
            Some(id) => id,
            None if name.starts_with("providers/") => {
                let message = format!("{name} is not a model of provider {}", self.provider_id);
                return Err(Failure::new(Reason::ModelNotFound, message)
                    .hint(format!("its models begin with {prefix}"))
                    .with("model", name)
                    .with("suggestions", ""));
            }
            None => name.strip_prefix(&format!("{}/", self.provider_id)).unwrap_or(name),
        };
        let known = entries.iter().find(|entry| entry.model.id == id || entry.model.id == name);
        known.cloned().ok_or_else(|| unknown(name, id, entries))
    }

    /// The model that a request means, able to do what it wants.
    pub(crate) fn choose(&self, entries: &[Arc<Entry>], name: &str, capability: &str) -> Result<Arc<Entry>, Failure> {
        let does = |entry: &Entry| entry.model.capabilities.iter().any(|known| known == capability);
        if name.is_empty() && !capability.is_empty() {
            let mut able = entries.iter().filter(|entry| does(entry));
            if let (Some(only), None) = (able.next(), able.next()) {
                return Ok(only.clone());
            }
        }
        let entry = self.find(entries, name)?;
        if !capability.is_empty() && !does(&entry) {
            let available = &entry.model.capabilities;
            return Err(Failure::new(
                Reason::CapabilityUnsupported,
                format!("{} does not do {capability}", entry.name),
            )
            .hint(format!("it does {}", available.join(", ")))
            .with("capability", capability)
            .with("available", available.join(",")));
        }
        Ok(entry)
    }
}

fn unknown(name: &str, id: &str, entries: &[Arc<Entry>]) -> Failure {
    let mut near: Vec<_> = entries
        .iter()
        .map(|entry| (edit_distance(id, &entry.model.id), entry))
        .filter(|(distance, entry)| *distance <= id.len().max(entry.model.id.len()) / 2)
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    let names: Vec<_> = near.into_iter().take(SUGGESTIONS).map(|(_, entry)| entry.name.as_str()).collect();
    let hint = match names[..] {
        [] => "ListModels gives what there is".into(),
        _ => format!("did you mean {}?", names.join(" or ")),
    };
    Failure::new(Reason::ModelNotFound, format!("there is no model {name}"))
        .hint(hint)
        .with("model", name)
        .with("suggestions", names.join(","))
}

/// How many single characters must be changed, added or taken out.
fn edit_distance(a: &str, b: &str) -> usize {
    let to: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in to.iter().enumerate() {
            let best = (row[j + 1] + 1).min(row[j] + 1).min(diagonal + usize::from(from != *other));
            diagonal = row[j + 1];
            row[j + 1] = best;
        }
    }
    row[to.len()]
}
