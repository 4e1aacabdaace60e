//! Why calls fail.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use prost_types::Any;
use tonic::Code;

macro_rules! reasons {
    ($($(#[$about:meta])* $name:ident = $text:literal, $code:ident;)*) => {
        /// Why a call failed: `mediaconduit.v1.ErrorReason`. The contract says what each one means and which metadata
        /// it carries.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Reason { $($(#[$about])* $name,)* }

        impl Reason {
            /// All reasons a provider may give.
            pub const ALL: &[Reason] = &[$(Reason::$name,)*];

            /// Its name on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Reason::$name => $text,)* }
            }

            /// The code it comes with.
            pub fn code(self) -> Code {
                match self { $(Reason::$name => Code::$code,)* }
            }
        }
    };
}

reasons! {
    ModelNotFound = "MODEL_NOT_FOUND", NotFound;
    CapabilityUnsupported = "CAPABILITY_UNSUPPORTED", FailedPrecondition;
    InputInvalid = "INPUT_INVALID", InvalidArgument;
    InputTooLarge = "INPUT_TOO_LARGE", InvalidArgument;
    CredentialsMissing = "CREDENTIALS_MISSING", FailedPrecondition;
    CredentialsRejected = "CREDENTIALS_REJECTED", FailedPrecondition;
    NotAllowed = "NOT_ALLOWED", PermissionDenied;
    RateLimited = "RATE_LIMITED", ResourceExhausted;
    QuotaExceeded = "QUOTA_EXCEEDED", ResourceExhausted;
    Overloaded = "OVERLOADED", ResourceExhausted;
    ContentRefused = "CONTENT_REFUSED", InvalidArgument;
    ContextTooLong = "CONTEXT_TOO_LONG", InvalidArgument;
    VendorUnavailable = "VENDOR_UNAVAILABLE", Unavailable;
    VendorProtocol = "VENDOR_PROTOCOL", Internal;
    VendorTimeout = "VENDOR_TIMEOUT", DeadlineExceeded;
    ProviderNotReady = "PROVIDER_NOT_READY", Unavailable;
    ProviderDraining = "PROVIDER_DRAINING", Unavailable;
    Internal = "INTERNAL", Internal;
    ResourceNotFound = "RESOURCE_NOT_FOUND", NotFound;
    ResumeRejected = "RESUME_REJECTED", FailedPrecondition;
    Cancelled = "CANCELLED", Cancelled;
    DeadlineExceeded = "DEADLINE_EXCEEDED", DeadlineExceeded;
    ServiceUnsupported = "SERVICE_UNSUPPORTED", Unimplemented;
}

/// One mistake in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Its path from the request (`options.audio.speed`, `turns[0].parts[1]`).
    pub field: String,
    /// What is wrong and what is allowed.
    pub description: String,
}

/// A failure its caller can do something about.
#[derive(Clone, Debug)]
pub struct Failure {
    pub reason: Reason,
    /// What happened, for people: without secrets and paths of this machine.
    pub message: String,
    /// What to do next; may be empty.
    pub hint: String,
    /// The mistakes found, with [`Reason::InputInvalid`].
    pub fields: Vec<FieldViolation>,
    /// Facts for programs, as the reason's documentation names them.
    pub metadata: BTreeMap<String, String>,
    /// When another try makes sense.
    pub retry_after: Option<Duration>,
    /// Further messages of the contract (`Usage`, `Scores`) that travel with it.
    pub details: Vec<Any>,
}

impl Failure {
    /// A failure for a reason.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Failure {
            reason,
            message: message.into(),
            hint: String::new(),
            fields: Vec::new(),
            metadata: BTreeMap::new(),
            retry_after: None,
            details: Vec::new(),
        }
    }

    /// The mistake in one field of the request.
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::invalid_fields(vec![FieldViolation { field: field.into(), description: description.into() }])
    }

    /// All mistakes found; there is one at least.
    pub(crate) fn invalid_fields(fields: Vec<FieldViolation>) -> Self {
        let more = if fields.len() > 1 { format!(" (and {} more)", fields.len() - 1) } else { String::new() };
        let first = &fields[0];
        let message = format!("{}: {}{more}", first.field, first.description);
        Failure { fields, ..Failure::new(Reason::InputInvalid, message) }
    }

    /// Says what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Adds a fact for programs.
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Says when another try makes sense.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// For an error nobody foresaw: its text must not leave the process, its error id does.
    pub(crate) fn unexpected() -> Self {
        let id = uuid::Uuid::new_v4().simple().to_string()[..12].to_owned();
        Failure::new(Reason::Internal, format!("an unexpected error ended the call (error id {id})"))
            .hint("the provider's logs have the details under this error id")
            .with("error_id", id)
    }

    /// The same for an error, which is logged under its id.
    pub(crate) fn logged(place: &str, error: impl fmt::Display) -> Self {
        let failure = Failure::unexpected();
        log::error!("{place}: error id {}: {error}", failure.metadata["error_id"]);
        failure
    }
}

/// What an author's code fails with: a [`Failure`], or anything else, which becomes INTERNAL with an error id and whose
/// text goes to the log only. `?` makes one of every error.
#[derive(Debug)]
pub enum Error {
    /// Told to the caller.
    Failure(Box<Failure>),
    /// Told to nobody.
    Unexpected(Box<dyn std::error::Error + Send + Sync>),
}

/// What an author's code gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Error::Failure(Box::new(failure))
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Error::Unexpected(Box::new(error))
    }
}

impl Error {
    /// An error that is told to nobody.
    pub fn unexpected(message: impl Into<String>) -> Self {
        Error::Unexpected(message.into().into())
    }

    /// What may leave the process; the rest goes to the log.
    pub(crate) fn told(self, place: &str) -> Failure {
        match self {
            Error::Failure(failure) => *failure,
            Error::Unexpected(error) => Failure::logged(place, error),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Failure(failure) => f.write_str(&failure.message),
            Error::Unexpected(error) => error.fmt(f),
        }
    }
}
