//! How many calls run at once, and which of them did not come back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::error::{Failure, Reason};

/// When a cancelled call that still runs counts as stuck.
const STUCK_AFTER: Duration = Duration::from_secs(2);

/// Says that a call is to end, and why.
#[derive(Default)]
pub(crate) struct Cancel {
    cause: Mutex<Option<(Failure, Instant)>>,
    news: Notify,
}

impl Cancel {
    /// The first time counts.
    pub(crate) fn set(&self, cause: Failure) {
        let mut held = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            *held = Some((cause, Instant::now()));
            drop(held);
            self.news.notify_waiters();
        }
    }

    pub(crate) fn cause(&self) -> Option<Failure> {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(cause, _)| cause.clone())
    }

    fn is_stuck(&self) -> bool {
        let held = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().is_some_and(|(_, since)| since.elapsed() >= STUCK_AFTER)
    }

    /// Waits for it.
    pub(crate) async fn wait(&self) -> Failure {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            if let Some(cause) = self.cause() {
                return cause;
            }
            news.await;
        }
    }
}

/// The places of running calls. Each holds its own until its code has come back, cancelled ones too.
pub(crate) struct Calls {
    limit: usize,
    running: Mutex<(u64, HashMap<u64, Arc<Cancel>>)>,
    left: Notify,
}

/// A place; given back when it is dropped.
pub(crate) struct Place {
    calls: Arc<Calls>,
    number: u64,
}

impl Calls {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Calls { limit, running: Mutex::default(), left: Notify::new() })
    }

    fn running(&self) -> MutexGuard<'_, (u64, HashMap<u64, Arc<Cancel>>)> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// A place for a call, unless all are taken.
    pub(crate) fn enter(self: &Arc<Self>, cancel: Arc<Cancel>) -> Result<Place, Failure> {
        let mut running = self.running();
        if self.limit > 0 && running.1.len() >= self.limit {
            let stuck = running.1.values().filter(|call| call.is_stuck()).count();
            return Err(Failure::new(
                Reason::Overloaded,
                format!("all {} places of this provider are taken", self.limit),
            )
            .hint("try again later, or raise the provider's max_concurrency")
            .with("limit", self.limit.to_string())
            .with("stuck", stuck.to_string())
            .retry_after(Duration::from_secs(1)));
        }
        running.0 += 1;
        let number = running.0;
        running.1.insert(number, cancel);
        Ok(Place { calls: self.clone(), number })
    }

    /// How many calls hold a place, and how many of them are stuck.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let running = self.running();
        (running.1.len(), running.1.values().filter(|call| call.is_stuck()).count())
    }

    /// Cancels every call.
    pub(crate) fn cancel_all(&self, cause: &Failure) {
        for call in self.running().1.values() {
            call.set(cause.clone());
        }
    }

    /// Returns when none is running.
    pub(crate) async fn drained(&self) {
        loop {
            let left = self.left.notified();
            tokio::pin!(left);
            left.as_mut().enable();
            if self.running().1.is_empty() {
                return;
            }
            left.await;
        }
    }

    /// The same, or false when it takes longer.
    pub(crate) async fn drained_within(&self, time: Duration) -> bool {
        tokio::select! {
            () = self.drained() => true,
            () = sleep(time) => false,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.calls.running().1.remove(&self.number);
        self.calls.left.notify_waiters();
    }
}
