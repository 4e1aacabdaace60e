//! Does what its tests want to see, as its twins in other languages do.

use std::env;
use std::future::pending;
use std::sync::Mutex;
use std::time::Duration;

use mediaconduit_provider::v1::{Pricing, Usage};
use mediaconduit_provider::{
    Call, Definition, Error, Failure, Loading, Model, Opt, Output, Provider, Reason, Result, Secrets, Spec, serve,
};
use serde_json::{Map, Value};

const SETTINGS: &str = r#"{"type":"object","properties":{"greeting":{"type":"string","minLength":2},
    "api_key":{"type":"string","writeOnly":true,"pattern":"^k-"}},"additionalProperties":false}"#;

fn main() {
    let definition = Definition { max_concurrency: 4, settings_schema: SETTINGS.into(), ..Definition::new("behave") };
    serve(definition, |secrets| match told().as_str() {
        "make" => Err(Error::unexpected("as it was told")),
        _ => Ok(Behave { key: secrets.get("BEHAVE_KEY").unwrap_or_default(), secrets, greeting: Mutex::default() }),
    })
}

fn told() -> String {
    env::var("BEHAVE_FAIL").unwrap_or_default()
}

struct Behave {
    key: String,
    secrets: Secrets,
    greeting: Mutex<String>,
}

impl Provider for Behave {
    async fn setup(&self, loading: &Loading) -> Result<()> {
        loading.report(Some(0.5), "half");
        assert_ne!(told(), "setup", "as it was told");
        Ok(())
    }

    async fn configure(&self, settings: Map<String, Value>) -> Result<()> {
        let greeting = settings.get("greeting").and_then(Value::as_str).unwrap_or_default();
        if greeting == "refused" {
            return Err(Failure::invalid("settings.greeting", "is not liked")
                .hint(format!("the key is {}", self.key))
                .into());
        }
        *self.greeting.lock().unwrap() = greeting.into();
        Ok(())
    }

    async fn models(&self) -> Result<Vec<Model>> {
        let repeat = Opt::new("extra.repeat", r#"{"type":"integer","minimum":1,"maximum":1000000,"default":1}"#);
        let mut models: Vec<_> = ["words", "crash", "fail", "hang", "flood", "child", "greet"]
            .into_iter()
            .map(|id| Model {
                options: vec![repeat.clone()],
                pricing: Some(Pricing::default()),
                ..Model::new(id, ["text-to-text"])
            })
            .collect();
        models.push(Model::new("echo", ["audio-to-audio"]));
        Ok(models)
    }

    async fn transform(&self, call: &Call, out: &Output) -> Result<()> {
        match call.model().id.as_str() {
            "words" => words(call, out).await,
            "crash" => panic!("a secret detail"),
            "fail" => {
                let key = self.secrets.get("BEHAVE_KEY").unwrap_or_default();
                let failure = Failure::new(Reason::RateLimited, format!("the vendor refuses {key}"));
                Err(failure.with("whose", "vendor").retry_after(Duration::from_secs(7)).into())
            }
            "hang" => {
                out.text("hanging").await?;
                pending().await
            }
            "flood" => flood(out).await,
            "child" => child(out).await,
            "greet" => {
                let greeting = self.greeting.lock().unwrap().clone();
                out.text(format!("{greeting} {}", self.key)).await
            }
            _ => echo(call, out).await,
        }
    }
}

async fn words(call: &Call, out: &Output) -> Result<()> {
    let mut count = 0;
    for _ in 0..call.option::<u32>("extra.repeat").unwrap_or(1) {
        for word in call.text().split_whitespace() {
            count += 1;
            out.text(format!("{word} ")).await?;
        }
    }
    out.usage(Usage { units: [("word".into(), count)].into(), ..Usage::default() }).await
}

/// Writes 64 MiB and says before each piece how much it has written.
async fn flood(out: &Output) -> Result<()> {
    for written in (0..64 << 20).step_by(64 << 10) {
        out.usage(Usage { units: [("byte".into(), written)].into(), ..Usage::default() }).await?;
        out.text("x".repeat(64 << 10)).await?;
    }
    Ok(())
}

async fn child(out: &Output) -> Result<()> {
    let child = tokio::process::Command::new("setsid").args(["sleep", "600"]).spawn()?;
    out.text(child.id().unwrap_or_default().to_string()).await?;
    pending().await
}

async fn echo(call: &Call, out: &Output) -> Result<()> {
    let input = call.input("")?;
    let stream = out.begin(Spec { media_type: input.media_type(), ..Spec::default() }).await?;
    let mut chunks = input.chunks().await?;
    while let Some(chunk) = chunks.next().await? {
        stream.data(chunk).await?;
    }
    stream.done(None).await
}
