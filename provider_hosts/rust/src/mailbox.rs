//! Between the author, who fills it, and the stream of the call, which writes everything that has come since in one
//! message: an idle reader gets every piece at once, a busy one fewer, larger messages.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

use crate::error::Failure;
use crate::v1::transform_event::Event;

/// Weight that may wait in a call's mailbox.
pub(crate) const IN_FLIGHT: usize = 64 << 10;
/// Weight of an item beside its content.
const OVERHEAD: usize = 128;

/// More text or data of an output, or a whole event. Text and data stay apart until they are written, so that joining
/// them costs one copy.
#[derive(Debug)]
pub(crate) enum Item {
    Text(i32, String),
    Data(i32, Vec<u8>),
    Event(Event),
}

#[derive(Default)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
    room: Notify,
}

#[derive(Default)]
struct State {
    items: Vec<Item>,
    weight: usize,
    /// How the call ended, once it has.
    end: Option<Result<(), Failure>>,
    reader: Option<Waker>,
}

impl Mailbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item. True when the box is full: await `room` before the next one. After the end nothing is added.
    pub(crate) fn put(&self, item: Item, size: usize) -> bool {
        let mut state = self.state();
        if state.end.is_some() {
            return false;
        }
        state.items.push(item);
        state.weight += size + OVERHEAD;
        let full = state.weight >= IN_FLIGHT;
        if let Some(reader) = state.reader.take() {
            drop(state);
            reader.wake();
        }
        full
    }

    /// Returns once there is room.
    pub(crate) async fn room(&self) {
        loop {
            let taken = self.room.notified();
            tokio::pin!(taken);
            taken.as_mut().enable();
            if self.has_room() {
                return;
            }
            taken.await;
        }
    }

    fn has_room(&self) -> bool {
        let state = self.state();
        state.weight < IN_FLIGHT || state.end.is_some()
    }

    /// Says how the call ended; the first time counts. What is in the box is still read.
    pub(crate) fn close(&self, end: Result<(), Failure>) {
        let mut state = self.state();
        if state.end.is_none() {
            state.end = Some(end);
        }
        let reader = state.reader.take();
        drop(state);
        self.room.notify_waiters();
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Everything that came since, in order; an empty list at the end, or how the call failed.
    pub(crate) fn poll_take(&self, context: &mut Context<'_>) -> Poll<Result<Vec<Item>, Failure>> {
        let mut state = self.state();
        if !state.items.is_empty() {
            state.weight = 0;
            let items = std::mem::take(&mut state.items);
            drop(state);
            self.room.notify_waiters();
            return Poll::Ready(Ok(items));
        }
        match &state.end {
            Some(Ok(())) => Poll::Ready(Ok(Vec::new())),
            Some(Err(failure)) => Poll::Ready(Err(failure.clone())),
            None => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_writes_ahead_of_a_reader_waits() {
        let mailbox = Mailbox::default();
        let mut count = 1;
        while !mailbox.put(Item::Text(0, "x".into()), 1024) {
            count += 1;
        }
        assert_eq!(count, IN_FLIGHT.div_ceil(1024 + OVERHEAD));
        let mut context = Context::from_waker(Waker::noop());
        let mut room = Box::pin(mailbox.room());
        assert!(room.as_mut().poll(&mut context).is_pending());
        assert!(matches!(mailbox.poll_take(&mut context), Poll::Ready(Ok(items)) if items.len() == count));
        assert!(room.as_mut().poll(&mut context).is_ready());
    }

    use std::future::Future;

    #[test]
    fn what_was_put_before_the_end_is_read() {
        let mailbox = Mailbox::default();
        mailbox.put(Item::Text(0, "x".into()), 1);
        mailbox.close(Ok(()));
        assert!(!mailbox.put(Item::Text(0, "late".into()), 1));
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(mailbox.poll_take(&mut context), Poll::Ready(Ok(items)) if items.len() == 1));
        assert!(matches!(mailbox.poll_take(&mut context), Poll::Ready(Ok(items)) if items.is_empty()));
    }
}
