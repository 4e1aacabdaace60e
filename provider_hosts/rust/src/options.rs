//! Which options a model takes, and whether those of a request are among them and in range.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use prost::Message;
use prost_reflect::{DynamicMessage, ReflectMessage, Value as Field};
use serde_json::{Map, Value};

use crate::error::{Failure, FieldViolation};
use crate::provider::Opt;
use crate::schema::Checker;
use crate::v1::{Notice, TransformOptions};
use crate::values::{dynamic, options_descriptor, plain_options, to_plain};

/// Fields of TransformOptions that are not options of a model.
const FOR_THE_HOST: [&str; 3] = ["lenient", "outputs_by_reference", "output_media_types"];

/// The options in force.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) options: TransformOptions,
    /// The same as plain values.
    pub(crate) values: Map<String, Value>,
    /// Of those that were dropped.
    pub(crate) notices: Vec<Notice>,
}

/// The options of one model.
pub(crate) struct OptionsSchema {
    /// The JSON Schema of all of them.
    pub(crate) document: String,
    /// By path, with what an absent one means.
    declared: BTreeMap<String, Value>,
    groups: BTreeSet<String>,
    checker: Checker,
}

impl OptionsSchema {
    /// Fails for a path that no option has, and for a schema that is none.
    pub(crate) fn new(options: &[Opt]) -> Result<Self, String> {
        let (mut declared, mut groups, mut root) = (BTreeMap::new(), BTreeSet::new(), Group::default());
        for option in options {
            let path = &option.path;
            check_path(path)?;
            let schema: Map<String, Value> = serde_json::from_str(&option.schema)
                .map_err(|error| format!("the schema of option {path:?} is not a JSON object: {error}"))?;
            declared.insert(path.clone(), schema.get("default").cloned().unwrap_or(Value::Null));
            groups.extend(path.match_indices('.').map(|(at, _)| path[..at].to_owned()));
            root.add(path, &option.schema);
        }
        if let Some(both) = declared.keys().find(|path| groups.contains(*path)) {
            return Err(format!("option {both:?} is declared whole and in parts"));
        }
        let document = root.to_string();
        let checker = Checker::new(&document, false)?;
        Ok(OptionsSchema { document, declared, groups, checker })
    }

    /// What the schema says an absent option means.
    pub(crate) fn default(&self, path: &str) -> &Value {
        self.declared.get(path).unwrap_or(&Value::Null)
    }

    /// Refuses options that the model does not have, or drops them where the caller is lenient, and values out of range.
    pub(crate) fn check(&self, options: Option<&TransformOptions>) -> Result<Settled, Failure> {
        let mut options = options.cloned().unwrap_or_default();
        let mut named = dynamic(&options);
        let mut values = to_plain(&named);
        values.retain(|name, _| !FOR_THE_HOST.contains(&name.as_str()));
        if options.candidates == Some(1) {
            values.remove("candidates");
        }
        let mut unknown = Vec::new();
        self.unknown(&values, "", &mut unknown);
        unknown.sort();
        if !unknown.is_empty() && !options.lenient {
            let described = self.not_had();
            let refused = unknown
                .iter()
                .map(|path| FieldViolation { field: format!("options.{path}"), description: described.clone() });
            return Err(refusal(refused.collect()));
        }
        for path in &unknown {
            clear(&mut named, path);
            drop_value(&mut values, path);
        }
        if !unknown.is_empty() {
            options = plain_options(&named);
        }
        self.prune(&mut values, "");
        let violations = self.checker.violations(&values, "options");
        if !violations.is_empty() {
            return Err(refusal(violations));
        }
        Ok(Settled { options, values, notices: unknown.iter().map(|path| dropped(path)).collect() })
    }

    fn unknown(&self, values: &Map<String, Value>, prefix: &str, found: &mut Vec<String>) {
        for (name, value) in values {
            let path = format!("{prefix}{name}");
            if self.declared.contains_key(&path) {
                continue;
            }
            match value {
                Value::Object(inner) if self.groups.contains(&path) => self.unknown(inner, &format!("{path}."), found),
                // One level deep is what there is to say about a group the model knows nothing of.
                Value::Object(inner) if prefix.is_empty() => {
                    found.extend(inner.keys().map(|name| format!("{path}.{name}")));
                }
                _ => found.push(path),
            }
        }
    }

    /// Takes out groups that hold nothing: absent and empty are the same.
    fn prune(&self, values: &mut Map<String, Value>, prefix: &str) {
        values.retain(|name, value| {
            let path = format!("{prefix}{name}");
            match value {
                Value::Object(inner) if !self.declared.contains_key(&path) => {
                    self.prune(inner, &format!("{path}."));
                    !inner.is_empty()
                }
                _ => true,
            }
        });
    }

    fn not_had(&self) -> String {
        if self.declared.is_empty() {
            return "the model has no options".into();
        }
        let names: Vec<_> = self.declared.keys().map(String::as_str).collect();
        format!("the model does not have this option; it has {}", names.join(", "))
    }
}

/// The value at a path; null when absent.
pub(crate) fn value_at<'v>(values: &'v Map<String, Value>, path: &str) -> &'v Value {
    let mut steps = path.split('.');
    let first = steps.next().and_then(|name| values.get(name));
    steps.try_fold(first.unwrap_or(&Value::Null), |node, name| node.get(name)).unwrap_or(&Value::Null)
}

fn check_path(path: &str) -> Result<(), String> {
    if path.starts_with("extra.") {
        return Ok(());
    }
    let none = || format!("there is no shared option {path:?}; a model's own begin with 'extra.'");
    let mut message = Some(options_descriptor().clone());
    for (depth, step) in path.split('.').enumerate() {
        let field = message.as_ref().and_then(|message| message.get_field_by_name(step)).ok_or_else(none)?;
        if depth == 0 && FOR_THE_HOST.contains(&step) {
            return Err(none());
        }
        message = field.kind().as_message().cloned();
    }
    Ok(())
}

fn refusal(fields: Vec<FieldViolation>) -> Failure {
    Failure::invalid_fields(fields)
        .hint("GetModel gives the schema of the options; lenient drops options that a model does not have")
}

fn dropped(path: &str) -> Notice {
    Notice { code: "OPTION_DROPPED".into(), message: format!("the model does not have options.{path}; it was dropped") }
}

fn clear(message: &mut DynamicMessage, path: &str) {
    let Some((group, rest)) = path.split_once('.') else {
        message.clear_field_by_name(path);
        return;
    };
    if message.descriptor().full_name() == "google.protobuf.Struct" {
        return;
    }
    let Some(Field::Message(inner)) = message.get_field_by_name_mut(group) else { return };
    if inner.descriptor().full_name() != "google.protobuf.Struct" {
        return clear(inner, rest);
    }
    let mut held: prost_types::Struct = inner.transcode_to().unwrap_or_default();
    clear_in_struct(&mut held, rest);
    inner.clear(); // transcoding adds to what is there
    let _ = inner.transcode_from(&held);
}

fn clear_in_struct(held: &mut prost_types::Struct, path: &str) {
    let Some((group, rest)) = path.split_once('.') else {
        held.fields.remove(path);
        return;
    };
    if let Some(prost_types::value::Kind::StructValue(inner)) =
        held.fields.get_mut(group).and_then(|value| value.kind.as_mut())
    {
        clear_in_struct(inner, rest);
    }
}

fn drop_value(values: &mut Map<String, Value>, path: &str) {
    match path.split_once('.') {
        None => {
            values.remove(path);
        }
        Some((group, rest)) => {
            if let Some(Value::Object(inner)) = values.get_mut(group) {
                drop_value(inner, rest);
            }
        }
    }
}

/// An object of a JSON Schema whose properties stay in the order they were declared in.
#[derive(Default)]
struct Group(Vec<(String, Node)>);

enum Node {
    Leaf(String),
    Group(Group),
}

impl Group {
    fn add(&mut self, path: &str, schema: &str) {
        let Some((name, rest)) = path.split_once('.') else {
            self.0.push((path.into(), Node::Leaf(schema.into())));
            return;
        };
        let at = self.0.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.0.push((name.into(), Node::Group(Group::default())));
            self.0.len() - 1
        });
        if let Node::Group(group) = &mut self.0[at].1 {
            group.add(rest, schema);
        }
    }
}

impl std::fmt::Display for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(r#"{"type":"object","properties":{"#)?;
        for (number, (name, node)) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_char(',')?;
            }
            write!(f, "{}:", Value::from(name.as_str()))?;
            match node {
                Node::Leaf(schema) => f.write_str(schema)?,
                Node::Group(group) => group.fmt(f)?,
            }
        }
        f.write_str(r#"},"additionalProperties":false}"#)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::TextOptions;

    fn picky() -> OptionsSchema {
        OptionsSchema::new(&[
            Opt::new("text.temperature", r#"{"type":"number","minimum":0,"maximum":2}"#),
            Opt::new("extra.zeta", r#"{"type":"integer","minimum":1,"default":7}"#),
            Opt::new("extra.alpha", r#"{"enum":["a","b"]}"#),
        ])
        .unwrap()
    }

    fn extra(json: Value) -> Option<prost_types::Struct> {
        let field = |value: &Value| prost_types::Value {
            kind: Some(match value {
                Value::Number(number) => prost_types::value::Kind::NumberValue(number.as_f64().unwrap()),
                Value::String(text) => prost_types::value::Kind::StringValue(text.clone()),
                _ => prost_types::value::Kind::BoolValue(true),
            }),
        };
        let fields = json.as_object().unwrap().iter().map(|(name, value)| (name.clone(), field(value))).collect();
        Some(prost_types::Struct { fields })
    }

    #[test]
    fn options_stay_in_the_order_they_were_declared_in() {
        let document = picky().document;
        assert!(document.find("zeta") < document.find("alpha"), "{document}");
    }

    #[test]
    fn options_out_of_range_are_refused_by_name_with_what_is_allowed() {
        let sent = TransformOptions {
            extra: extra(serde_json::json!({"zeta": 0, "alpha": "c", "beta": true})),
            lenient: true,
            ..Default::default()
        };
        let failure = picky().check(Some(&sent)).unwrap_err();
        let found = |field: &str, words: &str| {
            failure.fields.iter().any(|it| it.field == field && it.description.contains(words))
        };
        assert_eq!(failure.fields.len(), 2);
        assert!(found("options.extra.alpha", r#"one of "a", "b""#), "{:?}", failure.fields);
        assert!(found("options.extra.zeta", "at least 1"), "{:?}", failure.fields);
    }

    #[test]
    fn a_lenient_call_loses_what_the_model_lacks() {
        let sent = TransformOptions {
            extra: extra(serde_json::json!({"zeta": 3, "beta": true})),
            text: Some(TextOptions { temperature: Some(1.5), top_k: Some(3), ..Default::default() }),
            seed: Some(1),
            lenient: true,
            ..Default::default()
        };
        let settled = picky().check(Some(&sent)).unwrap();
        let dropped: Vec<_> = settled.notices.iter().map(|notice| notice.message.as_str()).collect();
        assert_eq!(dropped.len(), 3, "{dropped:?}");
        assert_eq!(settled.options.seed, None);
        assert_eq!(settled.options.text.as_ref().unwrap().top_k, None);
        assert_eq!(settled.options.extra.as_ref().unwrap().fields.len(), 1);
        assert_eq!(value_at(&settled.values, "extra.zeta"), &Value::from(3));
        assert_eq!(value_at(&settled.values, "text.temperature"), &Value::from(1.5));
    }

    #[test]
    fn a_shared_option_that_is_none_is_the_authors_mistake() {
        for path in ["text.heat", "lenient", "speed"] {
            assert!(OptionsSchema::new(&[Opt::new(path, "{}")]).is_err(), "{path} was taken");
        }
    }
}
