//! Parts of the input as authors read them: whole, or still arriving.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::call::Folder;
use crate::checks::{media_type_of, text_of};
use crate::error::{Failure, Result};
use crate::v1::Part;
use crate::v1::part::Content;

/// How much of an arriving part is held in memory before it goes to a file.
const SPOOL_BYTES: usize = 1 << 20;
/// Most bytes of one piece.
const CHUNK_BYTES: usize = 256 << 10;

/// One part of the input. Reads the same whole or still arriving, and as often as wanted.
pub struct Input<'c> {
    pub(crate) part: &'c Part,
    pub(crate) field: String,
    pub(crate) arriving: Option<Arc<Arriving>>,
}

impl Input<'_> {
    /// `Part.name`; empty for the main input.
    pub fn name(&self) -> &str {
        &self.part.name
    }

    /// IANA media type.
    pub fn media_type(&self) -> String {
        media_type_of(self.part)
    }

    /// Where it stands in the request (`turns[0].parts[1]`), for errors.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Its text; empty when it holds none.
    pub fn text(&self) -> String {
        text_of(self.part)
    }

    /// Where a vendor can fetch it, when the caller sent a reference instead of content; else empty.
    pub fn uri(&self) -> &str {
        match &self.part.content {
            Some(Content::Asset(asset)) => &asset.uri,
            _ => "",
        }
    }

    /// All of it, in memory. Waits for what has not come yet, and fails when it will not.
    pub async fn read(&self) -> Result<Cow<'_, [u8]>> {
        let Some(arriving) = &self.arriving else {
            return match &self.part.content {
                Some(Content::Data(data)) => Ok(Cow::Borrowed(data)),
                Some(Content::Text(text)) => Ok(Cow::Borrowed(text.as_bytes())),
                _ => Err(Failure::invalid(&self.field, "is a reference; this model wants the content itself").into()),
            };
        };
        let mut whole = Vec::new();
        let mut chunks = Chunks { arriving: arriving.clone(), at: 0 };
        while let Some(chunk) = chunks.next().await? {
            whole.extend_from_slice(&chunk);
        }
        Ok(Cow::Owned(whole))
    }

    /// Its bytes from the start, as they come.
    pub async fn chunks(&self) -> Result<Chunks> {
        if let Some(arriving) = &self.arriving {
            return Ok(Chunks { arriving: arriving.clone(), at: 0 });
        }
        let whole = self.read().await?;
        Ok(Chunks { arriving: Arc::new(Arriving::whole(whole.into_owned())), at: 0 })
    }
}

/// The bytes of an input, piece by piece.
pub struct Chunks {
    arriving: Arc<Arriving>,
    at: u64,
}

impl Chunks {
    /// The next piece, at most 256 KiB; None at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            let changed = self.arriving.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(chunk) = self.arriving.read_at(self.at)? {
                self.at += chunk.len() as u64;
                return Ok(if chunk.is_empty() { None } else { Some(chunk) });
            }
            changed.await;
        }
    }
}

/// A part whose content comes in chunks: in memory while it is small, else in a file of the call's folder.
pub(crate) struct Arriving {
    pub(crate) field: String,
    pub(crate) media_type: String,
    pub(crate) name: String,
    folder: Option<Arc<Folder>>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    memory: Vec<u8>,
    file: Option<File>,
    size: u64,
    done: bool,
    failure: Option<Failure>,
}

impl Arriving {
    pub(crate) fn new(part: &Part, field: String, folder: Arc<Folder>) -> Self {
        let (media_type, name) = (media_type_of(part), part.name.clone());
        Arriving { field, media_type, name, folder: Some(folder), state: Mutex::default(), changed: Notify::new() }
    }

    fn whole(memory: Vec<u8>) -> Self {
        let state = State { size: memory.len() as u64, memory, done: true, ..State::default() };
        Arriving {
            field: String::new(),
            media_type: String::new(),
            name: String::new(),
            folder: None,
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that came, and whether those are all.
    pub(crate) fn progress(&self) -> (u64, bool) {
        let state = self.state();
        (state.size, state.done)
    }

    /// Adds a chunk. Files are written here: chunks are small, and the page cache takes them.
    pub(crate) fn feed(&self, data: &[u8]) -> std::io::Result<()> {
        let mut state = self.state();
        if state.file.is_none()
            && state.memory.len() + data.len() > SPOOL_BYTES
            && let Some(folder) = &self.folder
        {
            let mut file = folder.new_file()?;
            file.write_all(&state.memory)?;
            state.memory = Vec::new();
            state.file = Some(file);
        }
        match &mut state.file {
            Some(file) => file.write_all(data)?,
            None => state.memory.extend_from_slice(data),
        }
        state.size += data.len() as u64;
        drop(state);
        self.changed.notify_waiters();
        Ok(())
    }

    /// No more comes.
    pub(crate) fn end(&self) {
        self.state().done = true;
        self.changed.notify_waiters();
    }

    /// The rest will not come: whoever waits for it gets the failure.
    pub(crate) fn fail(&self, failure: &Failure) {
        let mut state = self.state();
        if !state.done && state.failure.is_none() {
            state.failure = Some(failure.clone());
            drop(state);
            self.changed.notify_waiters();
        }
    }

    /// What is there from a place on; empty at the end, None while it is still to come.
    fn read_at(&self, at: u64) -> Result<Option<Vec<u8>>> {
        let state = self.state();
        if let Some(failure) = &state.failure {
            return Err(failure.clone().into());
        }
        let size = (state.size - at).min(CHUNK_BYTES as u64) as usize;
        if size == 0 {
            return Ok(state.done.then(Vec::new));
        }
        let Some(file) = &state.file else {
            return Ok(Some(state.memory[at as usize..at as usize + size].to_vec()));
        };
        let mut chunk = vec![0; size];
        file.read_exact_at(&mut chunk, at)?;
        Ok(Some(chunk))
    }
}
