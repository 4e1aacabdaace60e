//! Hosts a [MediaConduit](https://github.com/mediaconduit/mediaconduit) provider written in Rust.
//!
//! A complete provider:
//!
//! ```no_run
//! use mediaconduit_provider::{Call, Definition, Model, Output, Provider, Result, serve};
//!
//! struct Shout;
//!
//! impl Provider for Shout {
//!     async fn models(&self) -> Result<Vec<Model>> {
//!         Ok(vec![Model::new("default", ["text-to-text"])])
//!     }
//!
//!     async fn transform(&self, call: &Call, out: &Output) -> Result<()> {
//!         out.text(call.text().to_uppercase()).await
//!     }
//! }
//!
//! fn main() {
//!     serve(Definition::new("shout"), |_secrets| Ok(Shout))
//! }
//! ```
//!
//! The host does the rest: it serves the contract, checks requests and options, numbers and joins events, bounds what is
//! in flight, and turns errors and panics into typed failures.

mod call;
mod calls;
mod catalog;
mod checks;
mod error;
mod facts;
mod generations;
mod host;
mod input;
mod logs;
mod mailbox;
mod media_types;
mod options;
mod output;
mod packer;
mod processes;
mod provider;
mod run;
mod schema;
mod secrets;
mod service;
mod sidecar;
mod status;
pub mod testing;
mod values;

/// The contract's own messages, generated from `protos/`.
#[allow(clippy::all, missing_docs, rustdoc::all)]
pub mod v1 {
    include!("generated/mediaconduit.v1.rs");
}

pub(crate) const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.binpb");

pub use call::{Call, Cancelled};
pub use error::{Error, Failure, FieldViolation, Reason, Result};
pub use host::Loading;
pub use input::{Chunks, Input};
pub use output::{Facts, Output, Spec, Stream};
pub use provider::{Definition, InputSpec, Model, Opt, Provider};
pub use secrets::Secrets;
pub use sidecar::serve;
pub use status::detail;
