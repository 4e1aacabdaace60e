//! JSON Schema, with mistakes told as fields of a request.

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::{Location, LocationSegment};
use serde_json::{Map, Value};

use crate::error::FieldViolation;
use crate::status::cut;

const DESCRIPTION_LIMIT: usize = 400;

/// Checks values against one schema.
pub(crate) struct Checker {
    schema: Value,
    validator: Validator,
    /// Keeps values out of what is told.
    secret: bool,
}

impl Checker {
    /// Compiles a schema given as JSON text.
    pub(crate) fn new(text: &str, secret: bool) -> Result<Self, String> {
        let schema: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
        let validator = jsonschema::validator_for(&schema).map_err(|error| format!("is no JSON Schema: {error}"))?;
        Ok(Checker { schema, validator, secret })
    }

    /// Every mistake, with its path below `root` and what is allowed there.
    pub(crate) fn violations(&self, values: &Map<String, Value>, root: &str) -> Vec<FieldViolation> {
        let values = Value::Object(values.clone());
        let mut found = Vec::new();
        for error in self.validator.iter_errors(&values) {
            let field = path_of(root, error.instance_path());
            match error.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected } => {
                    found.extend(
                        unexpected.iter().map(|name| violation(format!("{field}.{name}"), "is not known here")),
                    );
                }
                // What is said where no property at all is known.
                ValidationErrorKind::FalseSchema if error.schema_path().as_str().ends_with("/additionalProperties") => {
                    let object = values.pointer(error.instance_path().as_str()).and_then(Value::as_object);
                    let names = object.into_iter().flat_map(Map::keys);
                    found.extend(names.map(|name| violation(format!("{field}.{name}"), "is not known here")));
                }
                ValidationErrorKind::Required { property: Value::String(name) } => {
                    found.push(violation(format!("{field}.{name}"), "is missing"));
                }
                _ => {
                    let mut description = if self.secret { "is not valid".to_owned() } else { error.to_string() };
                    if let Some(allowed) = self.schema_at(error.schema_path()).and_then(describe) {
                        description = format!("{description}; allowed: {allowed}");
                    }
                    found.push(violation(field, &cut(&description, DESCRIPTION_LIMIT)));
                }
            }
        }
        found
    }

    /// The schema that holds the keyword at a path.
    fn schema_at(&self, path: &Location) -> Option<&Value> {
        let whole = path.as_str();
        self.schema.pointer(&whole[..whole.rfind('/')?])
    }
}

fn violation(field: String, description: &str) -> FieldViolation {
    FieldViolation { field, description: description.into() }
}

/// `options.audio.speakers[0].name`.
fn path_of(root: &str, path: &Location) -> String {
    let mut whole = root.to_owned();
    for step in path.iter() {
        match step {
            LocationSegment::Index(index) => whole += &format!("[{index}]"),
            LocationSegment::Property(name) => whole += &format!(".{name}"),
        }
    }
    whole
}

/// What a schema of one value allows, in words.
fn describe(schema: &Value) -> Option<String> {
    if schema.get("properties").is_some() {
        return None;
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return Some(format!("one of {}", values.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")));
    }
    let mut limits = Vec::new();
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => limits.push(format!("from {least} to {most}")),
        (Some(least), None) => limits.push(format!("at least {least}")),
        (None, Some(most)) => limits.push(format!("at most {most}")),
        (None, None) => {}
    }
    for (name, before, after) in [
        ("minLength", "at least ", " characters"),
        ("maxLength", "at most ", " characters"),
        ("minItems", "at least ", " items"),
        ("maxItems", "at most ", " items"),
        ("pattern", "matching ", ""),
    ] {
        if let Some(limit) = schema.get(name) {
            limits.push(format!("{before}{limit}{after}"));
        }
    }
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    let words = format!("{kind} {}", limits.join(", ")).trim().to_owned();
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(schema: Value, values: Value, secret: bool) -> Vec<FieldViolation> {
        let checker = Checker::new(&schema.to_string(), secret).unwrap();
        checker.violations(values.as_object().unwrap(), "settings")
    }

    #[test]
    fn what_is_not_known_is_named() {
        for schema in [
            json!({"type": "object", "additionalProperties": false}),
            json!({"type": "object", "properties": {"known": {}}, "additionalProperties": false}),
        ] {
            let fields: Vec<_> = found(schema, json!({"odd": 1}), true).into_iter().map(|it| it.field).collect();
            assert_eq!(fields, ["settings.odd"]);
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = found(json!({"required": ["key"]}), json!({}), true);
        assert_eq!((missing[0].field.as_str(), missing.len()), ("settings.key", 1));
    }

    #[test]
    fn refused_secrets_do_not_stand_in_the_refusal() {
        let schema = json!({"properties": {"key": {"type": "string", "pattern": "^k-"}}});
        let refused = found(schema, json!({"key": "hush-hush"}), true);
        assert_eq!(refused[0].field, "settings.key");
        assert!(!refused[0].description.contains("hush"), "{}", refused[0].description);
        assert!(refused[0].description.contains("^k-"), "{}", refused[0].description);
    }
}
