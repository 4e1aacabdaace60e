//! Records of calls as they end: how usage reaches the broker when a call was cancelled or went past it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::v1::Generation;

const KEPT: usize = 1000;
const PAGE: usize = 100;

/// The last records, in the order the calls ended.
#[derive(Default)]
pub(crate) struct Generations {
    /// With how many there were in all.
    records: Mutex<(u64, VecDeque<Generation>)>,
    news: Notify,
}

impl Generations {
    fn records(&self) -> MutexGuard<'_, (u64, VecDeque<Generation>)> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, record: Generation) {
        let mut records = self.records();
        if records.1.len() == KEPT {
            records.1.pop_front();
        }
        records.1.push_back(record);
        records.0 += 1;
        drop(records);
        self.news.notify_waiters();
    }

    /// The position behind the record of that name; the oldest kept when there is none.
    pub(crate) fn after(&self, name: &str) -> u64 {
        let records = self.records();
        let oldest = records.0 - records.1.len() as u64;
        let found = records.1.iter().position(|record| !name.is_empty() && record.name == name);
        found.map_or(oldest, |at| oldest + at as u64 + 1)
    }

    /// Records from a position on, and the position behind them; waits for the first.
    pub(crate) async fn next(&self, position: u64) -> (Vec<Generation>, u64) {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            {
                let records = self.records();
                let oldest = records.0 - records.1.len() as u64;
                let start = position.saturating_sub(oldest) as usize;
                let batch: Vec<_> = records.1.iter().skip(start).take(PAGE).cloned().collect();
                if !batch.is_empty() {
                    let next = oldest + (start + batch.len()) as u64;
                    return (batch, next);
                }
            }
            news.await;
        }
    }
}
