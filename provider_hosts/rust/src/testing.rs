//! Calls of a provider in its own tests: checked and run as a sidecar runs them, without a wire between.

use std::future::poll_fn;
use std::sync::Arc;

use serde_json::{Map, Value};
use tonic::metadata::MetadataMap;

use crate::error::Failure;
use crate::facts::CallFacts;
use crate::host::{Host, Identity};
use crate::packer::Packer;
use crate::provider::{Definition, Provider};
use crate::secrets::Secrets;
use crate::v1::output_delta::Delta;
use crate::v1::part::Content;
use crate::v1::transform_event::Event;
use crate::v1::{Completed, OutputDelta, Part, Role, TransformEvent, TransformRequest, Turn};

/// A provider that takes calls.
pub struct Served<P> {
    host: Arc<Host<P>>,
}

/// All that came of a call that succeeded.
#[derive(Debug, Default)]
pub struct Outcome {
    pub events: Vec<TransformEvent>,
    /// That of all outputs.
    pub text: String,
    /// That of all outputs.
    pub data: Vec<u8>,
    /// Of the first output.
    pub media_type: String,
    pub completed: Completed,
}

impl<P: Provider> Served<P> {
    /// Sets a provider up.
    ///
    /// # Panics
    ///
    /// When it fails to.
    pub async fn start(definition: Definition, provider: P) -> Self {
        let identity = Identity { id: definition.id.clone(), version: String::new(), instance: String::new() };
        let host = Host::new(definition, identity, Secrets::default()).unwrap_or_else(|why| panic!("{why}"));
        host.take(provider);
        host.set_up().await.unwrap_or_else(|error| panic!("setup failed: {error}"));
        Served { host: Arc::new(host) }
    }

    /// Hands settings over.
    pub async fn configure(&self, settings: Map<String, Value>) -> Result<(), Failure> {
        self.host.configure(Some(settings), Default::default()).await
    }

    /// A request with one turn of these parts; `model` is the id alone.
    pub fn request(&self, model: &str, parts: Vec<Part>) -> TransformRequest {
        let turn = Turn { role: Role::User.into(), parts, ..Default::default() };
        let model = format!("providers/{}/models/{model}", self.host.identity.id);
        TransformRequest { model, turns: vec![turn], ..Default::default() }
    }

    /// Makes a call and reads it to its end.
    pub async fn call(&self, request: TransformRequest) -> Result<Outcome, Failure> {
        let facts = CallFacts::read(&MetadataMap::new(), &request.request_id);
        let run = self.host.start(self.host.plan(request, facts, false).await?)?;
        let (mut packer, mut outcome) = (Packer::default(), Outcome::default());
        loop {
            let items = poll_fn(|context| run.mailbox.poll_take(context)).await?;
            if items.is_empty() {
                return Ok(outcome);
            }
            for event in packer.pack(items).events {
                outcome.add(event);
            }
        }
    }
}

impl Outcome {
    fn add(&mut self, event: TransformEvent) {
        match &event.event {
            Some(Event::OutputDelta(OutputDelta { delta: Some(Delta::Text(text)), .. })) => self.text += text,
            Some(Event::OutputDelta(OutputDelta { delta: Some(Delta::Data(data)), .. })) => self.data.extend(data),
            Some(Event::OutputStarted(started)) if self.media_type.is_empty() => {
                self.media_type = started.media_type.clone();
            }
            Some(Event::Completed(completed)) => self.completed = completed.clone(),
            _ => {}
        }
        self.events.push(event);
    }
}

/// A part of text.
pub fn text(text: impl Into<String>) -> Part {
    Part { content: Some(Content::Text(text.into())), ..Default::default() }
}

/// A part of bytes.
pub fn data(media_type: impl Into<String>, data: impl Into<Vec<u8>>) -> Part {
    Part { media_type: media_type.into(), content: Some(Content::Data(data.into())), ..Default::default() }
}
