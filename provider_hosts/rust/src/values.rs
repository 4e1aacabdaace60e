//! Between messages and JSON values: what authors and JSON Schemas see.

use std::sync::LazyLock;

use prost::Message;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage, Value as Field,
};
use serde_json::{Map, Number, Value};

use crate::v1::TransformOptions;

/// Doubles hold every whole number up to here.
const EXACT: f64 = 9_007_199_254_740_992.0;

static OPTIONS: LazyLock<MessageDescriptor> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(crate::DESCRIPTORS).expect("the generated descriptors are whole");
    pool.get_message_by_name("mediaconduit.v1.TransformOptions").expect("the contract has it")
});

/// What the contract says about TransformOptions.
pub(crate) fn options_descriptor() -> &'static MessageDescriptor {
    &OPTIONS
}

/// The options as a message whose fields have names.
pub(crate) fn dynamic(options: &TransformOptions) -> DynamicMessage {
    DynamicMessage::decode(OPTIONS.clone(), options.encode_to_vec().as_slice()).expect("one message in two guises")
}

/// The same the other way round.
pub(crate) fn plain_options(options: &DynamicMessage) -> TransformOptions {
    TransformOptions::decode(options.encode_to_vec().as_slice()).expect("one message in two guises")
}

/// The fields that are set, under their names in the contract: durations in seconds, enums by name, whole numbers as
/// integers.
pub(crate) fn to_plain(message: &DynamicMessage) -> Map<String, Value> {
    message.fields().map(|(field, value)| (field.name().to_owned(), plain(&field, value))).collect()
}

fn plain(field: &FieldDescriptor, value: &Field) -> Value {
    match value {
        Field::Bool(value) => Value::Bool(*value),
        Field::I32(value) => Value::from(*value),
        Field::I64(value) => Value::from(*value),
        Field::U32(value) => Value::from(*value),
        Field::U64(value) => Value::from(*value),
        Field::F32(value) => number(f64::from(*value)),
        Field::F64(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
        Field::String(value) => Value::from(value.as_str()),
        Field::Bytes(value) => Value::from(String::from_utf8_lossy(value)),
        Field::EnumNumber(number) => match field.kind().as_enum().and_then(|known| known.get_value(*number)) {
            Some(known) => Value::from(known.name()),
            None => Value::from(*number),
        },
        Field::List(items) => items.iter().map(|item| plain(field, item)).collect(),
        Field::Map(entries) => {
            let inner =
                entries.iter().map(|(key, item)| (key.as_str().unwrap_or_default().to_owned(), plain(field, item)));
            Value::Object(inner.collect())
        }
        Field::Message(message) => plain_message(message),
    }
}

fn plain_message(message: &DynamicMessage) -> Value {
    match message.descriptor().full_name() {
        "google.protobuf.Duration" => {
            let duration = message.transcode_to::<prost_types::Duration>().unwrap_or_default();
            number(duration.seconds as f64 + f64::from(duration.nanos) / 1e9)
        }
        "google.protobuf.Struct" => match message.transcode_to::<prost_types::Struct>() {
            Ok(found) => Value::Object(struct_to_plain(&found)),
            Err(_) => Value::Null,
        },
        _ => Value::Object(to_plain(message)),
    }
}

/// A Struct as JSON values.
pub(crate) fn struct_to_plain(from: &prost_types::Struct) -> Map<String, Value> {
    from.fields.iter().map(|(name, value)| (name.clone(), value_to_plain(value))).collect()
}

fn value_to_plain(value: &prost_types::Value) -> Value {
    use prost_types::value::Kind;
    match &value.kind {
        Some(Kind::StructValue(inner)) => Value::Object(struct_to_plain(inner)),
        Some(Kind::ListValue(inner)) => inner.values.iter().map(value_to_plain).collect(),
        Some(Kind::NumberValue(inner)) => number(*inner),
        Some(Kind::StringValue(inner)) => Value::from(inner.as_str()),
        Some(Kind::BoolValue(inner)) => Value::Bool(*inner),
        Some(Kind::NullValue(_)) | None => Value::Null,
    }
}

/// An integer again where it is whole.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() <= EXACT {
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}
