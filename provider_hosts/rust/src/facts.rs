//! What only the broker and the transport know of a call.

use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::MetadataMap;

/// Who leaves so close to its deadline was driven by it: the caller's clock may be ahead.
const DEADLINE_SLACK: Duration = Duration::from_millis(200);

/// What only the broker and the transport know of a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallFacts {
    /// `generations/{id}`.
    pub(crate) generation: String,
    /// The provider's code as resolved; empty without a broker.
    pub(crate) source: String,
    pub(crate) caller: String,
    /// How long the call waited before it came here.
    pub(crate) queue: Duration,
    pub(crate) deadline: Option<Instant>,
}

impl CallFacts {
    /// Reads a call's metadata.
    pub(crate) fn read(metadata: &MetadataMap, request_id: &str) -> Self {
        let one = |key: &str| metadata.get(key).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let mut generation = one("x-mediaconduit-generation");
        if generation.is_empty() {
            let id = if request_id.is_empty() { uuid::Uuid::new_v4().to_string() } else { request_id.into() };
            generation = format!("generations/{id}");
        }
        CallFacts {
            generation,
            source: one("x-mediaconduit-source"),
            caller: one("x-mediaconduit-caller"),
            queue: Duration::from_millis(one("x-mediaconduit-queue-ms").parse::<u32>().unwrap_or(0).into()),
            deadline: timeout_of(&one("grpc-timeout")).map(|left| Instant::now() + left),
        }
    }

    /// Whether the deadline is over, or as good as over.
    pub(crate) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now() + DEADLINE_SLACK)
    }
}

/// `500m` is half a second.
fn timeout_of(header: &str) -> Option<Duration> {
    let (digits, unit) = header.split_at_checked(header.len().checked_sub(1)?)?;
    let count: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        assert_eq!(timeout_of("500m"), Some(Duration::from_millis(500)));
        assert_eq!(timeout_of("2S"), Some(Duration::from_secs(2)));
        for odd in ["", "S", "5x", "-1S", "123456789S"] {
            assert_eq!(timeout_of(odd), None, "{odd}");
        }
    }
}
