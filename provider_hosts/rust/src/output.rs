//! Where `transform` writes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prost::Message;
use sha2::{Digest, Sha256};

use crate::error::{Error, Failure, Result};
use crate::mailbox::{Item, Mailbox};
use crate::media_types::is_text;
use crate::packer::CHUNK_BYTES;
use crate::v1::output_delta::Delta;
use crate::v1::part::Content;
use crate::v1::transform_event::Event;
use crate::v1::{
    Checkpoint, Citation, Completed, Finish, FinishReason, MediaInfo, Notice, OutputCompleted, OutputDelta, OutputKind,
    OutputStarted, Part, Progress, Provenance, Role, Segment, ToolCall, Usage, VendorState,
};

/// Leaves room in a message of 4 MiB for what is joined with it.
const EVENT_LIMIT: usize = (4 << 20) - (512 << 10);

/// Where `transform` writes. The host opens, numbers and completes outputs, hashes data and ends the call. What writes
/// waits while too much is on its way.
pub struct Output {
    pub(crate) shared: Arc<Shared>,
}

/// What a provider knows about how its output came to be; empty ones change nothing.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub vendor_model: String,
    pub vendor_request_id: String,
    pub vendor_response_id: String,
}

/// An output that the author begins.
#[derive(Clone, Debug, Default)]
pub struct Spec<'s> {
    pub media_type: String,
    /// Unspecified = text for `text/*` and JSON, data for all else.
    pub kind: OutputKind,
    /// `Part.name` where a model makes several kinds of output.
    pub name: String,
    pub candidate: i32,
    /// `Role::User` for a transcript of the caller.
    pub role: Role,
    /// The output that this one is an early look at.
    pub preview_of: Option<&'s Stream>,
    /// Id and name of a tool call whose arguments come by `text`.
    pub tool_call: Option<ToolCall>,
}

/// One output among several. Completed at the end of the call at the latest.
#[derive(Debug)]
pub struct Stream {
    shared: Arc<Shared>,
    index: i32,
}

/// The state of a call's outputs.
pub(crate) struct Shared {
    mailbox: Arc<Mailbox>,
    began: Instant,
    text_type: Result<String, Failure>,
    data_type: Result<String, Failure>,
    state: Mutex<State>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

#[derive(Default)]
struct State {
    open: Vec<Open>,
    next: i32,
    text: Option<i32>,
    data: Option<i32>,
    words: Option<i32>,
    usage: Option<Usage>,
    finishes: Vec<Finish>,
    facts: Facts,
    first_output: Option<Duration>,
    last_write: Option<Instant>,
}

/// An output that has begun and is not complete.
struct Open {
    index: i32,
    kind: OutputKind,
    /// The host began it because plain content came.
    implicit: bool,
    hasher: Option<Sha256>,
    size: i64,
}

impl Output {
    /// Appends to the current text output.
    pub async fn text(&self, text: impl Into<String>) -> Result<()> {
        let text = text.into();
        if text.is_empty() {
            return Ok(());
        }
        let index = self.shared.own(OutputKind::Text)?;
        self.shared.feed_text(index, text).await
    }

    /// Appends to the current data output, whose media type is that of `Call::media_type`.
    pub async fn data(&self, data: impl Into<Vec<u8>>) -> Result<()> {
        let data = data.into();
        if data.is_empty() {
            return Ok(());
        }
        let index = self.shared.own(OutputKind::Data)?;
        self.shared.feed_data(index, data).await
    }

    /// Appends to the current reasoning output.
    pub async fn reasoning(&self, text: impl Into<String>) -> Result<()> {
        let index = self.shared.own(OutputKind::Reasoning)?;
        self.shared.feed_text(index, text.into()).await
    }

    /// Starts an output of its own, before any content.
    pub async fn begin(&self, spec: Spec<'_>) -> Result<Stream> {
        let started = OutputStarted {
            kind: spec.kind().into(),
            media_type: spec.media_type,
            name: spec.name,
            candidate: spec.candidate,
            role: spec.role.into(),
            preview_of: spec.preview_of.map(|stream| stream.index),
            tool_call: spec.tool_call.map(without_arguments),
            ..Default::default()
        };
        let index = self.shared.state().begin(&self.shared, started, false);
        self.shared.mailbox.room().await;
        Ok(Stream { shared: self.shared.clone(), index })
    }

    /// Writes an output that is whole: text and data, an asset, a tool call, a vector, scores, a transcript.
    pub async fn part(&self, part: Part) -> Result<()> {
        let kind = kind_of_part(&part)?;
        let mut started = OutputStarted {
            kind: kind.into(),
            media_type: part.media_type.clone(),
            name: part.name.clone(),
            ..Default::default()
        };
        match &part.content {
            Some(Content::Text(_)) if started.media_type.is_empty() => started.media_type = "text/plain".into(),
            Some(Content::Asset(asset)) if started.media_type.is_empty() => {
                started.media_type = asset.media_type.clone();
            }
            Some(Content::ToolCall(call)) => started.tool_call = Some(without_arguments(call.clone())),
            Some(Content::ToolResult(result)) => started.call_id = result.call_id.clone(),
            _ => {}
        }
        let index = {
            let mut state = self.shared.state();
            if is_words(kind) {
                state.end_own(&self.shared);
            }
            state.begin(&self.shared, started, false)
        };
        let mut whole = None;
        match part.content {
            Some(Content::Text(text)) => self.shared.feed_text(index, text).await?,
            Some(Content::ToolCall(call)) => self.shared.feed_text(index, call.arguments).await?,
            Some(Content::Data(data)) => self.shared.feed_data(index, data).await?,
            content => whole = Some(Part { content, ..part }),
        }
        self.shared.complete(index, None, whole).await
    }

    /// Says what the call has consumed so far, in all.
    pub async fn usage(&self, usage: Usage) -> Result<()> {
        self.shared.state().usage = Some(usage.clone());
        self.shared.pass(Event::Usage(usage)).await
    }

    /// Says how far the work is.
    pub async fn progress(&self, progress: Progress) -> Result<()> {
        self.shared.pass(Event::Progress(progress)).await
    }

    /// Says something the caller should know and need not act on; `code` is in UPPER_SNAKE.
    pub async fn notice(&self, code: impl Into<String>, message: impl Into<String>) -> Result<()> {
        self.shared.pass(Event::Notice(Notice { code: code.into(), message: message.into() })).await
    }

    /// Says that from here the work can be resumed by its token.
    pub async fn checkpoint(&self, checkpoint: Checkpoint) -> Result<()> {
        self.shared.pass(Event::Checkpoint(checkpoint)).await
    }

    /// Says why a candidate ended; without one it was `FinishReason::Stop`.
    pub fn finish(&self, finish: Finish) {
        self.shared.state().finishes.push(finish);
    }

    /// Adds to what the call's provenance says.
    pub fn facts(&self, facts: Facts) {
        let known = &mut self.shared.state().facts;
        for (to, from) in [
            (&mut known.vendor_model, facts.vendor_model),
            (&mut known.vendor_request_id, facts.vendor_request_id),
            (&mut known.vendor_response_id, facts.vendor_response_id),
        ] {
            if !from.is_empty() {
                *to = from;
            }
        }
    }
}

impl Stream {
    /// Appends text, tool arguments, or a transcript without times.
    pub async fn text(&self, text: impl Into<String>) -> Result<()> {
        self.shared.feed_text(self.index, text.into()).await
    }

    /// Appends bytes.
    pub async fn data(&self, data: impl Into<Vec<u8>>) -> Result<()> {
        self.shared.feed_data(self.index, data.into()).await
    }

    /// Adds a segment to a transcript, or puts it in place of the one with its id.
    pub async fn segment(&self, segment: Segment) -> Result<()> {
        self.attach(Delta::Segment(segment)).await
    }

    /// Adds a source.
    pub async fn cite(&self, citation: Citation) -> Result<()> {
        self.attach(Delta::Citation(citation)).await
    }

    /// Sets what the vendor needs back with this output.
    pub async fn state(&self, state: VendorState) -> Result<()> {
        self.attach(Delta::VendorState(state)).await
    }

    /// Says that nothing more comes.
    pub async fn done(self, info: Option<MediaInfo>) -> Result<()> {
        self.shared.complete(self.index, info, None).await
    }

    async fn attach(&self, delta: Delta) -> Result<()> {
        self.shared.state().usable(self.index)?;
        let delta = OutputDelta { index: self.index, logprobs: Vec::new(), delta: Some(delta) };
        self.shared.pass(Event::OutputDelta(delta)).await
    }
}

impl Shared {
    pub(crate) fn new(mailbox: Arc<Mailbox>, call: &crate::call::Call) -> Arc<Self> {
        Arc::new(Shared {
            mailbox,
            began: Instant::now(),
            text_type: call.media_type_for(true),
            data_type: call.media_type_for(false),
            state: Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The output that plain content of a kind goes to, begun if need be.
    fn own(&self, kind: OutputKind) -> Result<i32> {
        let mut state = self.state();
        let current = match kind {
            OutputKind::Text => state.text,
            OutputKind::Data => state.data,
            _ => state.words.filter(|index| state.open.iter().any(|open| open.index == *index && open.kind == kind)),
        };
        if let Some(index) = current {
            return Ok(index);
        }
        let media_type = match kind {
            OutputKind::Text => self.text_type.clone()?,
            OutputKind::Data => self.data_type.clone()?,
            _ => String::new(),
        };
        if is_words(kind) {
            state.end_own(self);
        }
        let started = OutputStarted { kind: kind.into(), media_type, ..Default::default() };
        let index = state.begin(self, started, true);
        if is_words(kind) {
            state.words = Some(index);
        }
        match kind {
            OutputKind::Text => state.text = Some(index),
            OutputKind::Data => state.data = Some(index),
            _ => {}
        }
        Ok(index)
    }

    async fn feed_text(&self, index: i32, mut text: String) -> Result<()> {
        if self.state().usable(index)?.kind == OutputKind::Data {
            return self.feed_data(index, text.into_bytes()).await;
        }
        while !text.is_empty() {
            let rest = text.split_off(text.floor_char_boundary(CHUNK_BYTES));
            let size = text.len();
            self.put(Item::Text(index, std::mem::replace(&mut text, rest)), size).await;
        }
        Ok(())
    }

    async fn feed_data(&self, index: i32, mut data: Vec<u8>) -> Result<()> {
        while !data.is_empty() {
            let rest = if data.len() > CHUNK_BYTES { data.split_off(CHUNK_BYTES) } else { Vec::new() };
            let piece = std::mem::replace(&mut data, rest);
            {
                let mut state = self.state();
                let open = state.usable(index)?;
                let Some(hasher) = &mut open.hasher else {
                    return Err(Error::unexpected("bytes were written into an output that holds none"));
                };
                hasher.update(&piece);
                open.size += piece.len() as i64;
            }
            let size = piece.len();
            self.put(Item::Data(index, piece), size).await;
        }
        Ok(())
    }

    async fn complete(&self, index: i32, info: Option<MediaInfo>, part: Option<Part>) -> Result<()> {
        if part.as_ref().is_some_and(|part| part.encoded_len() > EVENT_LIMIT) {
            return Err(Error::unexpected("what was written makes an event that fits no message"));
        }
        let full = {
            let mut state = self.state();
            state.usable(index)?;
            state.complete(self, index, info, part)
        };
        self.wait(full).await;
        Ok(())
    }

    pub(crate) async fn pass(&self, event: Event) -> Result<()> {
        let size = event.encoded_len();
        if size > EVENT_LIMIT {
            return Err(Error::unexpected(format!("what was written makes an event of {size} bytes")));
        }
        self.put(Item::Event(event), size).await;
        Ok(())
    }

    async fn put(&self, item: Item, size: usize) {
        self.state().last_write = Some(Instant::now());
        let full = self.mailbox.put(item, size);
        self.wait(full).await;
    }

    async fn wait(&self, full: bool) {
        if full {
            self.mailbox.room().await;
        }
        // An author who never pauses lets others have their turn.
        tokio::task::coop::consume_budget().await;
    }

    fn emit(&self, event: Event) -> bool {
        let size = event.encoded_len();
        self.mailbox.put(Item::Event(event), size)
    }

    /// Writes progress when nothing was written for so long.
    pub(crate) fn sign_of_life(&self, silence: Duration) {
        let mut state = self.state();
        if state.last_write.unwrap_or(self.began).elapsed() >= silence {
            state.last_write = Some(Instant::now());
            self.emit(Event::Progress(Progress { stage: "running".into(), ..Default::default() }));
        }
    }

    /// Completes what is still open, and writes the last event.
    pub(crate) fn finish(&self, provenance: impl FnOnce(&Facts, Option<Duration>) -> Provenance) {
        let mut state = self.state();
        while let Some(open) = state.open.first() {
            let index = open.index;
            state.complete(self, index, None, None);
        }
        if state.finishes.is_empty() {
            state.finishes.push(Finish { reason: FinishReason::Stop.into(), ..Default::default() });
        }
        self.emit(Event::Completed(Completed {
            finishes: state.finishes.clone(),
            usage: state.usage.clone(),
            provenance: Some(provenance(&state.facts, state.first_output)),
        }));
    }

    /// What a record of the call holds: usage, finishes, facts, time to the first output.
    pub(crate) fn summary(&self) -> (Option<Usage>, Vec<Finish>, Facts, Option<Duration>) {
        let state = self.state();
        (state.usage.clone(), state.finishes.clone(), state.facts.clone(), state.first_output)
    }
}

impl State {
    fn begin(&mut self, shared: &Shared, mut started: OutputStarted, implicit: bool) -> i32 {
        let (index, kind) = (self.next, started.kind());
        self.next += 1;
        started.index = index;
        let hasher = (kind == OutputKind::Data).then(Sha256::new);
        self.open.push(Open { index, kind, implicit, hasher, size: 0 });
        self.first_output.get_or_insert_with(|| shared.began.elapsed());
        self.last_write = Some(Instant::now());
        shared.emit(Event::OutputStarted(started));
        index
    }

    /// Completes the words that the host began, because others follow.
    fn end_own(&mut self, shared: &Shared) {
        let Some(index) = self.words else { return };
        if self.open.iter().any(|open| open.index == index && open.implicit) {
            self.complete(shared, index, None, None);
        }
    }

    fn usable(&mut self, index: i32) -> Result<&mut Open> {
        let open = self.open.iter_mut().find(|open| open.index == index);
        open.ok_or_else(|| Error::unexpected("an output was fed after it was done"))
    }

    fn complete(&mut self, shared: &Shared, index: i32, info: Option<MediaInfo>, part: Option<Part>) -> bool {
        let Some(at) = self.open.iter().position(|open| open.index == index) else { return false };
        let open = self.open.remove(at);
        for current in [&mut self.text, &mut self.data, &mut self.words] {
            if *current == Some(index) {
                *current = None;
            }
        }
        let mut completed = OutputCompleted { index, info, part, ..Default::default() };
        if let (Some(hasher), None) = (open.hasher, &completed.part) {
            completed.size_bytes = open.size;
            completed.sha256 = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        }
        shared.emit(Event::OutputCompleted(completed))
    }
}

impl Spec<'_> {
    fn kind(&self) -> OutputKind {
        match self.kind {
            OutputKind::Unspecified if self.tool_call.is_some() => OutputKind::ToolCall,
            OutputKind::Unspecified if is_text(&self.media_type) => OutputKind::Text,
            OutputKind::Unspecified => OutputKind::Data,
            kind => kind,
        }
    }
}

/// Kinds that follow each other in a turn; data and transcripts run beside them.
fn is_words(kind: OutputKind) -> bool {
    matches!(kind, OutputKind::Text | OutputKind::Reasoning | OutputKind::ToolCall | OutputKind::ToolResult)
}

fn kind_of_part(part: &Part) -> Result<OutputKind> {
    Ok(match &part.content {
        Some(Content::Text(_)) => OutputKind::Text,
        Some(Content::Data(_) | Content::Asset(_)) => OutputKind::Data,
        Some(Content::ToolCall(_)) => OutputKind::ToolCall,
        Some(Content::ToolResult(_)) => OutputKind::ToolResult,
        Some(Content::Reasoning(_)) => OutputKind::Reasoning,
        Some(Content::Transcript(_)) => OutputKind::Transcript,
        Some(Content::Embedding(_)) => OutputKind::Embedding,
        Some(Content::Scores(_)) => OutputKind::Scores,
        Some(Content::Stream(_)) | None => {
            return Err(Error::unexpected("a Part without content, or one that announces a stream, is no output"));
        }
    })
}

fn without_arguments(call: ToolCall) -> ToolCall {
    ToolCall { arguments: String::new(), ..call }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn silence_is_broken_once_in_a_while() {
        let mailbox = Arc::new(Mailbox::default());
        let shared = Shared {
            mailbox: mailbox.clone(),
            began: Instant::now(),
            text_type: Ok(String::new()),
            data_type: Ok(String::new()),
            state: Mutex::default(),
        };
        shared.sign_of_life(Duration::from_secs(3600));
        shared.sign_of_life(Duration::ZERO);
        shared.sign_of_life(Duration::from_secs(3600));
        let Poll::Ready(Ok(items)) = mailbox.poll_take(&mut Context::from_waker(Waker::noop())) else {
            panic!("nothing was written");
        };
        assert!(matches!(&items[..], [Item::Event(Event::Progress(progress))] if progress.stage == "running"));
    }
}
