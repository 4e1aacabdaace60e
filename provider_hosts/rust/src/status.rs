//! Between failures and `google.rpc.Status`.

use std::time::Duration;

use prost::{Message, Name};
use prost_types::Any;
use tonic::metadata::MetadataMap;
use tonic_types::pb::{BadRequest, ErrorInfo, RetryInfo, Status as RpcStatus, bad_request};

use crate::error::{Failure, FieldViolation};

const DOMAIN: &str = "mediaconduit";
/// Bytes of details a status may carry: past 8 KiB gRPC may drop the error with them.
pub(crate) const DETAILS_LIMIT: usize = 4096;
const MESSAGE_LIMIT: usize = 1024;
const METADATA_LIMIT: usize = 2048;
const HINT_LIMIT: usize = 512;

/// Packs a failure: ErrorInfo first, then what fits.
pub(crate) fn to_rpc(failure: &Failure) -> RpcStatus {
    let mut packed = RpcStatus {
        code: failure.reason.code() as i32,
        message: cut(&failure.message, MESSAGE_LIMIT),
        details: Vec::new(),
    };
    let mut metadata: std::collections::HashMap<_, _> =
        failure.metadata.iter().map(|(key, value)| (key.clone(), cut(value, METADATA_LIMIT))).collect();
    if !failure.hint.is_empty() {
        metadata.insert("hint".into(), cut(&failure.hint, HINT_LIMIT));
    }
    let info = ErrorInfo { reason: failure.reason.as_str().into(), domain: DOMAIN.into(), metadata };
    attach(&mut packed, pack(&info, "google.rpc.ErrorInfo"));
    if let Some(wait) = failure.retry_after {
        let retry = RetryInfo { retry_delay: Some(duration(wait)) };
        attach(&mut packed, pack(&retry, "google.rpc.RetryInfo"));
    }
    if !failure.fields.is_empty() {
        attach(&mut packed, pack(&bad_request(&failure.fields), "google.rpc.BadRequest"));
    }
    for detail in &failure.details {
        attach(&mut packed, detail.clone());
    }
    packed
}

/// The failure as gRPC sends it.
pub(crate) fn to_status(failure: &Failure) -> tonic::Status {
    let packed = to_rpc(failure);
    let message = packed.message.clone();
    let details = packed.encode_to_vec().into();
    tonic::Status::with_details_and_metadata(failure.reason.code(), message, details, MetadataMap::new())
}

/// A detail for [`Failure::details`].
pub fn detail<M: Message + Name>(message: &M) -> Any {
    pack(message, &M::full_name())
}

pub(crate) fn duration(from: Duration) -> prost_types::Duration {
    prost_types::Duration { seconds: from.as_secs() as i64, nanos: from.subsec_nanos() as i32 }
}

fn pack(message: &impl Message, name: &str) -> Any {
    Any { type_url: format!("type.googleapis.com/{name}"), value: message.encode_to_vec() }
}

fn attach(packed: &mut RpcStatus, detail: Any) {
    if packed.encoded_len() + detail.encoded_len() <= DETAILS_LIMIT {
        packed.details.push(detail);
    }
}

fn bad_request(fields: &[FieldViolation]) -> BadRequest {
    let mut room = DETAILS_LIMIT / 2;
    let mut bad = BadRequest::default();
    for field in fields {
        let size = field.field.len() + field.description.len() + 16;
        if size > room {
            break;
        }
        room -= size;
        bad.field_violations.push(bad_request::FieldViolation {
            field: field.field.clone(),
            description: field.description.clone(),
            ..Default::default()
        });
    }
    bad
}

/// Shortens a text to a number of bytes, without splitting a character.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.into();
    }
    format!("{}…", &text[..text.floor_char_boundary(limit - 3)])
}
