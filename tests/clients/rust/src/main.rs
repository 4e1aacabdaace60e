//! Calls a MediaConduit server: streams an answer, cancels another one, and reads a typed error.
//!
//!     client localhost:50051 cowsay/default "hello"

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_types::StatusExt;

use mediaconduit::v1::media_provider_client::MediaProviderClient;
use mediaconduit::v1::output_delta::Delta;
use mediaconduit::v1::part::Content;
use mediaconduit::v1::transform_event::Event;
use mediaconduit::v1::{Part, Role, TextOptions, TransformOptions, TransformRequest, Turn};

/// Generated from the contract by build.rs.
#[allow(clippy::all)]
mod mediaconduit {
    pub mod v1 {
        tonic::include_proto!("mediaconduit.v1");
    }
}

type Provider = MediaProviderClient<Channel>;
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [target, model, text] = &arguments[..] else {
        eprintln!("usage: client TARGET MODEL TEXT");
        return ExitCode::from(2);
    };
    match run(target, model, text).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(target: &str, model: &str, text: &str) -> Result<()> {
    let channel = Endpoint::new(format!("http://{target}"))?.connect().await?;
    let mut provider = Provider::new(channel);
    print_answer(&mut provider, model, text).await?;
    cancel_answer(&mut provider, model, text).await?;
    provoke_error(&mut provider, &format!("{model}-unknown"), text).await
}

/// The input of every call here: one turn of one text.
fn ask(model: &str, text: &str) -> TransformRequest {
    let part = Part { content: Some(Content::Text(text.into())), ..Default::default() };
    let turn = Turn { role: Role::User.into(), parts: vec![part], ..Default::default() };
    TransformRequest { model: model.into(), turns: vec![turn], ..Default::default() }
}

/// A deadline travels with the call, down to the model.
fn within_a_minute(request: TransformRequest) -> Request<TransformRequest> {
    let mut request = Request::new(request);
    request.set_timeout(Duration::from_secs(60));
    request
}

/// Prints the text as it comes. A response holds one or more events; the last one of a success is `Completed`.
async fn print_answer(provider: &mut Provider, model: &str, text: &str) -> Result<()> {
    let options = TransformOptions {
        text: Some(TextOptions { max_output_tokens: Some(64), ..Default::default() }),
        lenient: true, // a model without this option answers all the same
        ..Default::default()
    };
    let request = TransformRequest { options: Some(options), ..ask(model, text) };
    let mut call = provider.transform(within_a_minute(request)).await?.into_inner();
    let mut completed = None;
    let mut count = 0;
    while let Some(response) = call.message().await? {
        count += response.events.len();
        for event in response.events.into_iter().filter_map(|event| event.event) {
            match event {
                Event::OutputDelta(output) => {
                    if let Some(Delta::Text(text)) = output.delta {
                        print!("{text}");
                        io::stdout().flush()?;
                    }
                }
                Event::OutputCompleted(output) => {
                    // An output that was not streamed.
                    if let Some(Content::Text(text)) = output.part.and_then(|part| part.content) {
                        print!("{text}");
                    }
                }
                Event::Completed(end) => completed = Some(end),
                _ => {}
            }
        }
    }
    let completed = completed.ok_or("the answer has no end")?;
    let finish = completed.finishes.first().ok_or("the end has no reason")?;
    println!("\ncompleted: {} {count} events", finish.reason().as_str_name());
    Ok(())
}

/// Cancels the call, and with it the model's work, once the output has begun.
///
/// In Rust a call is cancelled by dropping its stream: what was not read is gone, its status, CANCELLED, too.
async fn cancel_answer(provider: &mut Provider, model: &str, text: &str) -> Result<()> {
    let request = within_a_minute(ask(model, text));
    let mut call = provider.transform(request).await?.into_inner();
    let mut count = 0;
    let mut begun = false;
    while !begun {
        let response = call.message().await?.ok_or("expected output, but the answer ended by itself")?;
        count += response.events.len();
        begun = response.events.iter().any(|event| matches!(event.event, Some(Event::OutputDelta(_))));
    }
    drop(call);
    println!("cancelled after {count} events");
    Ok(())
}

/// Asks for a model that is not there.
async fn provoke_error(provider: &mut Provider, model: &str, text: &str) -> Result<()> {
    // A server may fail a call at once or instead of its first message.
    let failed = match provider.transform(within_a_minute(ask(model, text))).await {
        Ok(call) => call.into_inner().message().await.err(),
        Err(status) => Some(status),
    };
    let status = failed.ok_or("expected MODEL_NOT_FOUND, but there was an answer")?;
    match reason(&status).as_deref() {
        Some(reason @ "MODEL_NOT_FOUND") => {
            println!("error: {reason}");
            Ok(())
        }
        _ => Err(status.into()),
    }
}

/// Why a call failed: the name of an ErrorReason; `None` when the error is not MediaConduit's.
fn reason(status: &Status) -> Option<String> {
    let info = status.get_details_error_info()?;
    (info.domain == "mediaconduit").then_some(info.reason)
}
