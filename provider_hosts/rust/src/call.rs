//! What `transform` is given.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::catalog::Entry;
use crate::checks::{is_media, is_user, text_of};
use crate::error::{Error, Failure, Result};
use crate::facts::CallFacts;
use crate::input::{Arriving, Input};
use crate::media_types::{is_text, matches_any};
use crate::options::value_at;
use crate::provider::Model;
use crate::v1::part::Content;
use crate::v1::{Notice, Part, Role, TransformOptions, TransformRequest, Turn};

/// One call.
pub struct Call {
    /// What is wanted, also where the caller named none.
    pub capability: String,
    /// The conversation as sent.
    pub turns: Vec<Turn>,
    /// In force: validated, without those that were dropped.
    pub options: TransformOptions,
    /// The caller's, for accounting.
    pub labels: HashMap<String, String>,
    /// Shared by the calls of one conversation: pass it on as the vendor's cache key.
    pub affinity_key: String,
    /// From an earlier checkpoint: go on with that work. Empty otherwise.
    pub resume_token: Vec<u8>,
    pub(crate) parents: Vec<String>,
    pub(crate) entry: Arc<Entry>,
    pub(crate) facts: CallFacts,
    pub(crate) values: Map<String, Value>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) arriving: HashMap<i32, Arc<Arriving>>,
    pub(crate) blocking: Arc<Blocking>,
    folder: Arc<Folder>,
}

impl Call {
    pub(crate) fn new(
        request: TransformRequest,
        entry: Arc<Entry>,
        capability: String,
        facts: CallFacts,
    ) -> Result<Self, Failure> {
        let settled = entry.schema.check(request.options.as_ref())?;
        let folder = Arc::new(Folder::default());
        let mut arriving = HashMap::new();
        for (part, field) in media_parts(&request.turns) {
            if let Some(Content::Stream(number)) = part.content {
                let announced = Arc::new(Arriving::new(part, field.clone(), folder.clone()));
                if arriving.insert(number, announced).is_some() {
                    return Err(Failure::invalid(format!("{field}.stream"), "is announced twice"));
                }
            }
        }
        Ok(Call {
            capability,
            turns: request.turns,
            options: settled.options,
            labels: request.labels,
            affinity_key: request.affinity_key,
            resume_token: request.resume_token,
            parents: request.parent_generations,
            entry,
            facts,
            values: settled.values,
            notices: settled.notices,
            arriving,
            blocking: Arc::default(),
            folder,
        })
    }

    /// The model asked for.
    pub fn model(&self) -> &Model {
        &self.entry.model
    }

    /// The record of this call, `generations/{id}`.
    pub fn generation(&self) -> &str {
        &self.facts.generation
    }

    /// Who calls, as the broker says; empty without a broker.
    pub fn caller(&self) -> &str {
        &self.facts.caller
    }

    /// Text of the last user turn's main input, its parts joined by line ends; empty when there is none.
    pub fn text(&self) -> String {
        let Some(turn) = self.turns.iter().rev().find(|turn| is_user(turn)) else { return String::new() };
        let texts = turn.parts.iter().filter(|part| part.name.is_empty()).map(text_of);
        texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// Text of the system turns, joined by empty lines.
    pub fn system(&self) -> String {
        let turns = self.turns.iter().filter(|turn| turn.role() == Role::System);
        let texts = turns.flat_map(|turn| &turn.parts).map(text_of).filter(|text| !text.is_empty());
        texts.collect::<Vec<_>>().join("\n\n")
    }

    /// Inputs of the user turns with this name, in order; the main ones without a name.
    pub fn inputs(&self, name: &str) -> Vec<Input<'_>> {
        let parts = media_parts(&self.turns).into_iter().filter(|(part, _)| part.name == name);
        parts
            .map(|(part, field)| {
                let arriving = match part.content {
                    Some(Content::Stream(number)) => self.arriving.get(&number).cloned(),
                    _ => None,
                };
                Input { part, field, arriving }
            })
            .collect()
    }

    /// The first of `inputs`; a failure when there is none.
    pub fn input(&self, name: &str) -> Result<Input<'_>, Failure> {
        let wanted = if name.is_empty() { "an input".to_owned() } else { format!("input {name:?}") };
        let first = self.inputs(name).into_iter().next();
        first.ok_or_else(|| Failure::invalid("turns", format!("{wanted} is missing")))
    }

    /// An option by its path (`audio.speed`, `extra.top`), durations in seconds: the caller's, else the default of its
    /// schema; None without either, or where it is of another type.
    pub fn option<T: DeserializeOwned>(&self, path: &str) -> Option<T> {
        let given = value_at(&self.values, path);
        let value = if given.is_null() { self.entry.schema.default(path) } else { given };
        if value.is_null() { None } else { serde_json::from_value(value.clone()).ok() }
    }

    /// The media type to make: the first offered one that the caller wants. Nothing offered = the model's own.
    pub fn media_type(&self, offered: &[&str]) -> Result<String, Failure> {
        let own: Vec<_> = self.model().output_media_types.iter().map(String::as_str).collect();
        let offered = if offered.is_empty() { &own[..] } else { offered };
        let wanted = &self.options.output_media_types;
        if offered.is_empty() {
            return Ok("application/octet-stream".into());
        }
        let fits = offered.iter().find(|offer| wanted.is_empty() || matches_any(wanted, offer));
        fits.map(|offer| (*offer).to_owned()).ok_or_else(|| {
            let description = format!("{} cannot be made; there is {}", wanted.join(", "), offered.join(", "));
            Failure::invalid("options.output_media_types", description)
        })
    }

    /// A private folder for temporary files, removed when the call ends.
    pub fn folder(&self) -> Result<&Path> {
        Ok(self.folder.path()?)
    }

    /// Time until the caller's deadline; None without one.
    pub fn remaining(&self) -> Option<Duration> {
        self.facts.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Runs work that blocks on a thread of its own. A call that is cancelled keeps its place until it has come back: it
    /// asks `Cancelled` from time to time.
    pub async fn blocking<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Cancelled) -> Result<T> + Send + 'static,
    {
        let (place, cancelled) = (self.blocking.enter(), Cancelled(self.blocking.clone()));
        let joined = tokio::task::spawn_blocking(move || {
            let _place = place;
            work(&cancelled)
        });
        match joined.await {
            Ok(result) => result,
            Err(error) => Err(Error::unexpected(error.to_string())),
        }
    }

    /// Media type of an output that the author began by plain text or data.
    pub(crate) fn media_type_for(&self, textual: bool) -> Result<String, Failure> {
        if textual && self.options.text.as_ref().is_some_and(|text| !text.json_schema.is_empty()) {
            return Ok("application/json".into());
        }
        let made = self.model().output_media_types.iter().map(String::as_str);
        let offered: Vec<_> = made.filter(|made| is_text(made) == textual).collect();
        match offered[..] {
            [] if textual => Ok("text/plain".into()),
            [] => Ok("application/octet-stream".into()),
            _ => self.media_type(&offered),
        }
    }

    /// Puts text that arrives in chunks in its place among the turns.
    pub(crate) async fn gather_text(&mut self) -> Result<()> {
        let mut gathered = Vec::new();
        for (t, turn) in self.turns.iter().enumerate() {
            for (p, part) in turn.parts.iter().enumerate() {
                let Some(Content::Stream(number)) = part.content else { continue };
                let Some(arriving) = self.arriving.get(&number).filter(|it| is_text(&it.media_type)) else { continue };
                let input = Input { part, field: arriving.field.clone(), arriving: Some(arriving.clone()) };
                let text = String::from_utf8(input.read().await?.into_owned())
                    .map_err(|_| Failure::invalid(&arriving.field, "is not text in UTF-8"))?;
                gathered.push((t, p, text));
            }
        }
        for (t, p, text) in gathered {
            self.turns[t].parts[p].content = Some(Content::Text(text));
        }
        Ok(())
    }
}

/// Parts that are input, with where they stand.
fn media_parts(turns: &[Turn]) -> Vec<(&Part, String)> {
    let turns = turns.iter().enumerate().filter(|(_, turn)| is_user(turn));
    let parts = turns.flat_map(|(t, turn)| turn.parts.iter().enumerate().map(move |(p, part)| (t, p, part)));
    parts.filter(|(_, _, part)| is_media(part)).map(|(t, p, part)| (part, format!("turns[{t}].parts[{p}]"))).collect()
}

/// Whether a call that blocks is still wanted.
pub struct Cancelled(Arc<Blocking>);

impl Cancelled {
    /// Whether to stop: nobody waits for the result any more.
    pub fn is_set(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }
}

/// Work of a call that blocks.
#[derive(Default)]
pub(crate) struct Blocking {
    cancelled: AtomicBool,
    running: AtomicUsize,
    idle: Notify,
}

impl Blocking {
    fn enter(self: &Arc<Self>) -> BlockingPlace {
        self.running.fetch_add(1, Ordering::AcqRel);
        BlockingPlace(self.clone())
    }

    /// Asks what runs to stop.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Returns when nothing runs.
    pub(crate) async fn ended(&self) {
        loop {
            let idle = self.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            if self.running.load(Ordering::Acquire) == 0 {
                return;
            }
            idle.await;
        }
    }
}

struct BlockingPlace(Arc<Blocking>);

impl Drop for BlockingPlace {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

/// The private folder of a call, made when it is needed and removed with the call.
#[derive(Default)]
pub(crate) struct Folder {
    made: OnceLock<PathBuf>,
    files: AtomicUsize,
}

impl Folder {
    fn path(&self) -> std::io::Result<&Path> {
        if self.made.get().is_none() {
            let path = std::env::temp_dir().join(format!("mediaconduit-call-{}", uuid::Uuid::new_v4().simple()));
            fs::create_dir(&path)?;
            if self.made.set(path.clone()).is_err() {
                fs::remove_dir(path)?;
            }
        }
        Ok(self.made.get().expect("it was just made"))
    }

    /// A file that is open for reading and writing.
    pub(crate) fn new_file(&self) -> std::io::Result<File> {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let path = self.path()?.join(format!("input-{number}"));
        OpenOptions::new().read(true).write(true).create_new(true).open(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(path) = self.made.get() {
            let _ = fs::remove_dir_all(path);
        }
    }
}
