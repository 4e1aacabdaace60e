//! Turns what piled up in a mailbox into one message: joins neighbours, numbers events.

use crate::mailbox::Item;
use crate::v1::output_delta::Delta;
use crate::v1::transform_event::Event;
use crate::v1::{OutputDelta, TransformEvent, TransformResponse};

/// Most bytes of media in one event.
pub(crate) const CHUNK_BYTES: usize = 256 << 10;

#[derive(Default)]
pub(crate) struct Packer {
    sequence: i32,
}

impl Packer {
    /// One message with all items in order.
    pub(crate) fn pack(&mut self, items: Vec<Item>) -> TransformResponse {
        let mut events: Vec<TransformEvent> = Vec::with_capacity(items.len().min(16));
        for item in items {
            match item {
                Item::Text(index, text) => match last_delta(&mut events, index) {
                    Some(Delta::Text(before)) => before.push_str(&text),
                    _ => self.add(&mut events, delta(index, Delta::Text(text))),
                },
                Item::Data(index, data) => match last_delta(&mut events, index) {
                    Some(Delta::Data(before)) if before.len() + data.len() <= CHUNK_BYTES => {
                        before.extend_from_slice(&data);
                    }
                    _ => self.add(&mut events, delta(index, Delta::Data(data))),
                },
                Item::Event(event) => self.add(&mut events, event),
            }
        }
        TransformResponse { events }
    }

    fn add(&mut self, events: &mut Vec<TransformEvent>, event: Event) {
        self.sequence += 1;
        events.push(TransformEvent { sequence: self.sequence, event: Some(event) });
    }
}

fn delta(index: i32, delta: Delta) -> Event {
    Event::OutputDelta(OutputDelta { index, logprobs: Vec::new(), delta: Some(delta) })
}

/// The delta that ends the list, if it is of that output.
fn last_delta(events: &mut [TransformEvent], index: i32) -> Option<&mut Delta> {
    match events.last_mut()?.event.as_mut()? {
        Event::OutputDelta(last) if last.index == index && last.logprobs.is_empty() => last.delta.as_mut(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(response: &TransformResponse) -> Vec<String> {
        let text = |event: &TransformEvent| match event.event.as_ref()? {
            Event::OutputDelta(OutputDelta { delta: Some(Delta::Text(text)), .. }) => Some(text.clone()),
            _ => None,
        };
        response.events.iter().filter_map(text).collect()
    }

    #[test]
    fn neighbours_of_one_output_are_joined_and_others_are_not() {
        let item = |index, text: &str| Item::Text(index, text.into());
        let response = Packer::default().pack(vec![item(0, "a"), item(0, "b"), item(1, "c"), item(0, "d")]);
        assert_eq!(texts(&response), ["ab", "c", "d"]);
        assert_eq!(response.events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn data_is_joined_up_to_the_size_of_a_chunk() {
        let half = || Item::Data(0, vec![0; CHUNK_BYTES / 2]);
        assert_eq!(Packer::default().pack(vec![half(), half(), half()]).events.len(), 2);
    }
}
