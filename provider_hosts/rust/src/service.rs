//! `mediaconduit.v1.MediaProvider`, served by a `Host`.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

use crate::checks::{spec_for, too_large};
use crate::error::{Failure, Reason};
use crate::facts::CallFacts;
use crate::host::{Host, Life};
use crate::input::Arriving;
use crate::media_types::is_text;
use crate::packer::Packer;
use crate::provider::Provider;
use crate::run::Run;
use crate::status::to_status;
use crate::v1::media_provider_server::MediaProvider;
use crate::v1::transform_live_request::Piece;
use crate::v1::{self, TransformLiveRequest, TransformResponse};
use crate::values::struct_to_plain;

const CONTRACT_REVISION: i32 = 1;
const MODELS_PAGE: usize = 100;
/// Most bytes of a text that arrives in chunks: `transform` gets it whole.
const TEXT_LIMIT: u64 = 16 << 20;

/// Calls whose end is still to be told.
#[derive(Default)]
pub(crate) struct Open {
    count: AtomicUsize,
    told: Notify,
}

impl Open {
    fn enter(self: &Arc<Self>) -> OpenCall {
        self.count.fetch_add(1, Ordering::AcqRel);
        OpenCall(self.clone())
    }

    /// Returns when the end of every call is on its way, or after that time.
    pub(crate) async fn all_told(&self, within: Duration) {
        let none = async {
            loop {
                let told = self.told.notified();
                tokio::pin!(told);
                told.as_mut().enable();
                if self.count.load(Ordering::Acquire) == 0 {
                    return;
                }
                told.await;
            }
        };
        let _ = tokio::time::timeout(within, none).await;
    }
}

struct OpenCall(Arc<Open>);

impl Drop for OpenCall {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.told.notify_waiters();
        }
    }
}

/// Translates calls of the contract; the host does the work.
pub(crate) struct Service<P> {
    pub(crate) host: Arc<Host<P>>,
    pub(crate) open: Arc<Open>,
    /// Takes what the first Configure brings, where the provider waits for it.
    pub(crate) first: mpsc::Sender<std::collections::HashMap<String, String>>,
}

impl<P: Provider> Service<P> {
    fn refuse(&self, failure: Failure) -> Status {
        to_status(&self.host.secrets.clean(failure))
    }

    async fn begin(&self, request: v1::TransformRequest, facts: CallFacts, arrives: bool) -> Result<Arc<Run>, Status> {
        let call = self.host.plan(request, facts, arrives).await.map_err(|failure| self.refuse(failure))?;
        self.host.start(call).map_err(|failure| self.refuse(failure))
    }

    fn reply(&self, run: Arc<Run>) -> Response<Reply> {
        Response::new(Reply { run, packer: Packer::default(), ended: false, _open: self.open.enter() })
    }
}

#[tonic::async_trait]
impl<P: Provider> MediaProvider for Service<P> {
    type TransformStream = Reply;
    type TransformLiveStream = Reply;
    type WatchGenerationsStream = Pin<Box<dyn Stream<Item = Result<v1::WatchGenerationsResponse, Status>> + Send>>;

    async fn describe(&self, _: Request<v1::DescribeRequest>) -> Result<Response<v1::DescribeResponse>, Status> {
        let (host, identity) = (&self.host, self.host.identity.clone());
        let mut said = v1::DescribeResponse {
            provider_id: identity.id.clone(),
            version: identity.version,
            instance_id: identity.instance,
            contract_revision: CONTRACT_REVISION,
            ..Default::default()
        };
        if host.life() != Life::Waiting {
            let (active, stuck) = host.calls.counts();
            let name = &host.definition.display_name;
            said.display_name = if name.is_empty() { identity.id } else { name.clone() };
            said.capabilities = host.catalog.capabilities();
            said.settings_schema = host.definition.settings_schema.clone();
            said.max_concurrency = host.calls.limit() as i32;
            said.active_calls = active as i32;
            said.stuck_calls = stuck as i32;
            said.loading = host.loading();
        }
        Ok(Response::new(said))
    }

    async fn configure(
        &self,
        request: Request<v1::ConfigureRequest>,
    ) -> Result<Response<v1::ConfigureResponse>, Status> {
        let v1::ConfigureRequest { settings, secrets, .. } = request.into_inner();
        self.host.secrets.check(&secrets).map_err(|failure| self.refuse(failure))?;
        if self.host.life() == Life::Waiting {
            // Full or closed: an earlier one has brought them.
            let _ = self.first.try_send(secrets.clone());
        }
        let settings = settings.map(|settings| struct_to_plain(&settings));
        self.host.configure(settings, secrets).await.map_err(|failure| self.refuse(failure))?;
        Ok(Response::new(v1::ConfigureResponse {}))
    }

    async fn list_models(
        &self,
        request: Request<v1::ListModelsRequest>,
    ) -> Result<Response<v1::ListModelsResponse>, Status> {
        let wanted = request.into_inner();
        let listed = self.host.list(wanted.refresh).await.map_err(|failure| self.refuse(failure))?;
        let first = match wanted.page_token.as_str() {
            "" => 0,
            token => token
                .parse::<u32>()
                .map_err(|_| self.refuse(Failure::invalid("page_token", "is not one that was given")))?
                as usize,
        };
        let size = usize::try_from(wanted.page_size).ok().filter(|size| *size > 0).unwrap_or(MODELS_PAGE);
        let able = |entry: &&Arc<crate::catalog::Entry>| {
            wanted.capability.is_empty() || entry.model.capabilities.contains(&wanted.capability)
        };
        let entries: Vec<_> = listed.entries.iter().filter(able).collect();
        let models = entries.iter().skip(first).take(size).map(|entry| entry.to_proto(false)).collect();
        let more = first + size < entries.len();
        Ok(Response::new(v1::ListModelsResponse {
            models,
            next_page_token: if more { (first + size).to_string() } else { String::new() },
            refresh_time: Some(listed.time.into()),
            ..Default::default()
        }))
    }

    async fn get_model(&self, request: Request<v1::GetModelRequest>) -> Result<Response<v1::GetModelResponse>, Status> {
        let name = request.into_inner().name;
        let listed = self.host.list(false).await.map_err(|failure| self.refuse(failure))?;
        let entry = self.host.catalog.find(&listed.entries, &name).map_err(|failure| self.refuse(failure))?;
        Ok(Response::new(v1::GetModelResponse { model: Some(entry.to_proto(true)) }))
    }

    async fn transform(&self, request: Request<v1::TransformRequest>) -> Result<Response<Reply>, Status> {
        let facts = CallFacts::read(request.metadata(), &request.get_ref().request_id);
        let run = self.begin(request.into_inner(), facts, false).await?;
        Ok(self.reply(run))
    }

    async fn transform_live(
        &self,
        request: Request<Streaming<TransformLiveRequest>>,
    ) -> Result<Response<Reply>, Status> {
        let metadata = request.metadata().clone();
        let mut pieces = request.into_inner();
        let Some(Piece::Start(start)) = pieces.message().await?.and_then(|first| first.piece) else {
            return Err(self.refuse(Failure::invalid("start", "must be the first piece")));
        };
        let facts = CallFacts::read(&metadata, &start.request_id);
        let run = self.begin(start, facts, true).await?;
        // Ends with the call at the latest: its pieces end then.
        tokio::spawn(receive(run.clone(), pieces));
        Ok(self.reply(run))
    }

    async fn watch_generations(
        &self,
        request: Request<v1::WatchGenerationsRequest>,
    ) -> Result<Response<Self::WatchGenerationsStream>, Status> {
        let generations = self.host.generations.clone();
        let position = generations.after(&request.into_inner().after);
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut position = position;
            loop {
                let (generations, next) = tokio::select! {
                    batch = generations.next(position) => batch,
                    () = sender.closed() => return,
                };
                position = next;
                if sender.send(Ok(v1::WatchGenerationsResponse { generations })).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(tokio_stream::wrappers::ReceiverStream::new(receiver))))
    }
}

/// The messages of one call, each with everything that has come since the last. Dropping it cancels the author's code.
pub(crate) struct Reply {
    run: Arc<Run>,
    packer: Packer,
    ended: bool,
    _open: OpenCall,
}

impl Stream for Reply {
    type Item = Result<TransformResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match ready!(self.run.mailbox.poll_take(context)) {
            Ok(items) if items.is_empty() => {
                self.ended = true;
                Poll::Ready(None)
            }
            Ok(items) => Poll::Ready(Some(Ok(self.packer.pack(items)))),
            Err(failure) => {
                self.ended = true;
                Poll::Ready(Some(Err(to_status(&failure))))
            }
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if !self.ended {
            self.run.leave();
        }
    }
}

/// Feeds a call until its caller half-closes. A piece that is wrong ends the call with that failure.
async fn receive(run: Arc<Run>, mut pieces: Streaming<TransformLiveRequest>) {
    loop {
        let fed = match pieces.message().await {
            Ok(Some(request)) => take(&run, request),
            Ok(None) => {
                if let Err(failure) = run.all_arriving().iter().try_for_each(|part| end(part)) {
                    run.cancel.set(failure);
                }
                return;
            }
            Err(_) => return run.leave(),
        };
        if let Err(failure) = fed {
            return run.cancel.set(failure);
        }
    }
}

fn take(run: &Run, request: TransformLiveRequest) -> Result<(), Failure> {
    let chunk = match request.piece {
        Some(Piece::Chunk(chunk)) => chunk,
        None => return Err(Failure::invalid("piece", "is empty or of a later revision of the contract")),
        Some(Piece::Start(_)) => return Err(Failure::invalid("start", "may only be the first piece")),
        Some(_) => {
            return Err(Failure::invalid("piece", format!("{} holds no conversations", run.entry.name))
                .hint("use a model with the feature 'live'"));
        }
    };
    let number = chunk.stream;
    let Some(part) = run.arriving(number) else {
        return Err(Failure::invalid("chunk.stream", format!("no part announced stream {number}")));
    };
    let (before, done) = part.progress();
    if done {
        return Err(Failure::invalid("chunk.stream", format!("stream {number} has ended")));
    }
    let mut limit = spec_for(&run.entry.model, &part.name, None).map_or(0, |spec| spec.max_bytes);
    if is_text(&part.media_type) && (limit == 0 || limit > TEXT_LIMIT) {
        limit = TEXT_LIMIT;
    }
    let size = before + chunk.data.len() as u64;
    if limit > 0 && size > limit {
        let message = format!("{} is larger than the {limit} bytes that are taken here", part.field);
        return Err(too_large(message, size, limit));
    }
    part.feed(&chunk.data).map_err(|error| Failure::logged("keeping the input", error))?;
    if chunk.last { end(&part) } else { Ok(()) }
}

fn end(part: &Arriving) -> Result<(), Failure> {
    if part.progress() == (0, false) {
        return Err(Failure { reason: Reason::InputInvalid, ..Failure::invalid(&part.field, "is empty") });
    }
    part.end();
    Ok(())
}
