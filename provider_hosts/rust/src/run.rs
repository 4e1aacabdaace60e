//! One call under way: the author's code fills a mailbox, the stream of the call empties it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::time::{MissedTickBehavior, interval, sleep_until};

use crate::call::{Blocking, Call};
use crate::calls::{Cancel, Place};
use crate::catalog::Entry;
use crate::error::{Error, Failure, Reason, Result};
use crate::facts::CallFacts;
use crate::generations::Generations;
use crate::input::Arriving;
use crate::mailbox::Mailbox;
use crate::output::{Facts, Output, Shared};
use crate::provider::Provider;
use crate::secrets::Secrets;
use crate::status::{duration, to_rpc};
use crate::v1::transform_event::Event;
use crate::v1::{Generation, Provenance, Started};

/// The longest silence of a call.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// One call under way.
pub(crate) struct Run {
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) cancel: Arc<Cancel>,
    pub(crate) entry: Arc<Entry>,
    /// Parts that are still to come.
    pub(crate) arriving: Mutex<HashMap<i32, Arc<Arriving>>>,
    outputs: Arc<Shared>,
    blocking: Arc<Blocking>,
    facts: CallFacts,
    capability: String,
    labels: HashMap<String, String>,
    parents: Vec<String>,
    began: Instant,
    start_time: SystemTime,
}

impl Run {
    pub(crate) fn new(call: &Call, cancel: Arc<Cancel>) -> Arc<Self> {
        let mailbox = Arc::new(Mailbox::default());
        Arc::new(Run {
            outputs: Shared::new(mailbox.clone(), call),
            mailbox,
            cancel,
            entry: call.entry.clone(),
            arriving: Mutex::new(call.arriving.clone()),
            blocking: call.blocking.clone(),
            facts: call.facts.clone(),
            capability: call.capability.clone(),
            labels: call.labels.clone(),
            parents: call.parents.clone(),
            began: Instant::now(),
            start_time: SystemTime::now(),
        })
    }

    /// A part that is still to come, by its number.
    pub(crate) fn arriving(&self, number: i32) -> Option<Arc<Arriving>> {
        self.arriving.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()
    }

    /// All of them.
    pub(crate) fn all_arriving(&self) -> Vec<Arc<Arriving>> {
        self.arriving.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Cancels the call because its caller has left.
    pub(crate) fn leave(&self) {
        self.cancel.set(self.why_left());
    }

    fn why_left(&self) -> Failure {
        if self.facts.is_late() {
            return Failure::new(Reason::DeadlineExceeded, "the caller's deadline passed before the work was done");
        }
        Failure::new(Reason::Cancelled, "the caller left")
    }

    /// Runs the author's code to its end, whatever that is. The place is free, and what the call held is gone, before its
    /// caller hears of the end; but for a cancelled one, whose caller does not wait for code that blocks.
    pub(crate) async fn main<P: Provider>(
        self: Arc<Self>,
        provider: Arc<P>,
        call: Call,
        place: Place,
        secrets: Secrets,
        generations: Arc<Generations>,
    ) {
        let output = Output { shared: self.outputs.clone() };
        let run = self.clone();
        let mut work = tokio::spawn(async move { run.work(&*provider, call, output).await });
        let cause = tokio::select! {
            ended = &mut work => {
                let end = self.settle(ended, &secrets);
                self.leave_nothing(end.as_ref().err(), &generations);
                drop(place);
                self.mailbox.close(end);
                return;
            }
            cause = self.ended_from_outside() => secrets.clean(cause),
        };
        for part in self.all_arriving() {
            part.fail(&cause);
        }
        self.mailbox.close(Err(cause.clone()));
        self.blocking.cancel();
        work.abort();
        let _ = work.await;
        self.blocking.ended().await;
        self.leave_nothing(Some(&cause), &generations);
    }

    /// Waits until somebody cancels the call or its deadline passes, with signs of life meanwhile.
    async fn ended_from_outside(&self) -> Failure {
        let mut beat = interval(HEARTBEAT / 3);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let deadline = async {
            match self.facts.deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                cause = self.cancel.wait() => return cause,
                () = &mut deadline => {
                    self.leave();
                    return self.why_left();
                }
                _ = beat.tick() => self.outputs.sign_of_life(HEARTBEAT - HEARTBEAT / 3),
            }
        }
    }

    async fn work(&self, provider: &impl Provider, mut call: Call, output: Output) -> Result<()> {
        let started = Started { generation: self.facts.generation.clone(), model: self.entry.name.clone() };
        self.outputs.pass(Event::Started(started)).await?;
        for notice in std::mem::take(&mut call.notices) {
            self.outputs.pass(Event::Notice(notice)).await?;
        }
        call.gather_text().await?;
        provider.transform(&call, &output).await
    }

    /// How the call ended; a success gets its last event.
    fn settle(
        &self,
        ended: std::result::Result<Result<()>, tokio::task::JoinError>,
        secrets: &Secrets,
    ) -> std::result::Result<(), Failure> {
        let place = format!("[{}]", self.facts.generation);
        let result = ended.unwrap_or_else(|panicked| Err(Error::unexpected(panicked.to_string())));
        match result {
            Ok(()) => {
                self.outputs.finish(|facts, first| self.provenance(facts, first));
                Ok(())
            }
            Err(error) => Err(secrets.clean(error.told(&place))),
        }
    }

    fn leave_nothing(&self, failure: Option<&Failure>, generations: &Generations) {
        self.arriving.lock().unwrap_or_else(PoisonError::into_inner).clear();
        generations.add(self.record(failure));
    }

    fn provenance(&self, facts: &Facts, first_output: Option<Duration>) -> Provenance {
        let name = &self.entry.name;
        Provenance {
            provider: name[..name.find("/models/").unwrap_or(name.len())].into(),
            source: self.facts.source.clone(),
            vendor_model: facts.vendor_model.clone(),
            vendor_request_id: facts.vendor_request_id.clone(),
            vendor_response_id: facts.vendor_response_id.clone(),
            start_time: Some(self.start_time.into()),
            queue_duration: Some(duration(self.facts.queue)),
            first_output_duration: first_output.map(duration),
            total_duration: Some(duration(self.began.elapsed())),
            parent_generations: self.parents.clone(),
            model_display_name: self.entry.model.shown().into(),
            capability: self.capability.clone(),
        }
    }

    fn record(&self, failure: Option<&Failure>) -> Generation {
        let (usage, finishes, facts, first_output) = self.outputs.summary();
        Generation {
            name: self.facts.generation.clone(),
            model: self.entry.name.clone(),
            capability: self.capability.clone(),
            labels: self.labels.clone(),
            usage,
            provenance: Some(self.provenance(&facts, first_output)),
            finishes: if failure.is_some() { Vec::new() } else { finishes },
            error: failure.map(to_rpc),
            end_time: Some(SystemTime::now().into()),
            caller: self.facts.caller.clone(),
            ..Default::default()
        }
    }
}
