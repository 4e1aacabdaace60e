//! The keys that Configure brings. They stay in memory: the environment of a process can be read by its neighbours, and
//! changing it while threads run is not sound.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Failure, FieldViolation, Reason};

/// Characters a value must have to be taken out of an error.
const SHORTEST: usize = 4;
const OURS: &str = "MEDIACONDUIT_";

/// The keys a provider was given, as they are now. Their values appear in no failure and no debug output.
#[derive(Clone, Default)]
pub struct Secrets {
    names: Arc<Vec<String>>,
    given: Arc<Mutex<HashMap<String, String>>>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Secrets").field(&self.names).finish()
    }
}

impl Secrets {
    pub(crate) fn new(names: Vec<String>) -> Self {
        Secrets { names: Arc::new(names), given: Arc::default() }
    }

    /// The names in a list with commas.
    pub(crate) fn names_of(text: &str) -> Result<Vec<String>, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        names
            .map(|name| match odd(name, "") {
                None => Ok(name.to_owned()),
                Some(_) => Err(format!("{name:?} cannot be the name of a secret")),
            })
            .collect()
    }

    pub(crate) fn are_needed(&self) -> bool {
        !self.names.is_empty()
    }

    fn given(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A key by its name; None when it was not given.
    pub fn get(&self, name: &str) -> Option<String> {
        self.given().get(name).cloned()
    }

    /// Refuses names that no variable can have, and values.
    pub(crate) fn check(&self, wanted: &HashMap<String, String>) -> Result<(), Failure> {
        let fields: Vec<_> = wanted
            .iter()
            .filter_map(|(name, value)| odd(name, value).map(|why| (name, why)))
            .map(|(name, why)| FieldViolation { field: format!("secrets.{name}"), description: why.into() })
            .collect();
        if fields.is_empty() {
            return Ok(());
        }
        Err(Failure { message: "the secrets are not valid".into(), ..Failure::invalid_fields(fields) })
    }

    /// Takes these in place of those before, which it gives.
    pub(crate) fn put(&self, wanted: HashMap<String, String>) -> HashMap<String, String> {
        std::mem::replace(&mut *self.given(), wanted)
    }

    /// Refuses a call while one that is needed is missing.
    pub(crate) fn require(&self) -> Result<(), Failure> {
        let given = self.given();
        let missing: Vec<_> = self
            .names
            .iter()
            .filter(|name| given.get(*name).is_none_or(String::is_empty))
            .map(String::as_str)
            .collect();
        let Some(first) = missing.first() else { return Ok(()) };
        let message = format!("the provider needs {}, which it was not given", missing.join(" and "));
        Err(Failure::new(Reason::CredentialsMissing, message)
            .hint(format!("put {first} where the broker looks for secrets, and refresh the provider"))
            .with("variable", missing.join(",")))
    }

    /// The failure without the values given here: vendors quote the key they refuse, and authors quote vendors.
    pub(crate) fn clean(&self, mut failure: Failure) -> Failure {
        let mut values: Vec<_> = self.given().values().filter(|value| value.len() >= SHORTEST).cloned().collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        let hide = |text: &str| values.iter().fold(text.to_owned(), |text, value| text.replace(value, "***"));
        failure.message = hide(&failure.message);
        failure.hint = hide(&failure.hint);
        for field in &mut failure.fields {
            field.field = hide(&field.field);
            field.description = hide(&field.description);
        }
        failure.metadata =
            failure.metadata.into_iter().map(|(key, value)| (key, hide(&value))).collect::<BTreeMap<_, _>>();
        failure
    }
}

fn odd(name: &str, value: &str) -> Option<&'static str> {
    let fits = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if !fits || name.starts_with(OURS) {
        return Some(
            "is not the name of a variable; letters, digits and _ are, but for those that begin with MEDIACONDUIT_",
        );
    }
    value.contains('\0').then_some("holds a zero byte")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out_of_failures() {
        let secrets = Secrets::new(vec!["KEY".into()]);
        assert_eq!(secrets.require().unwrap_err().reason, Reason::CredentialsMissing);
        secrets.put(HashMap::from([("KEY".into(), "hush-hush".into())]));
        assert!(secrets.require().is_ok());
        let failure = Failure::new(Reason::CredentialsRejected, "hush-hush is refused").with("why", "hush-hush");
        let shown = format!("{:?}", secrets.clean(failure));
        assert!(!shown.contains("hush"), "{shown}");
        assert!(!format!("{secrets:?}").contains("hush"));
    }
}
