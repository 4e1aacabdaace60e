//! The life of a sidecar's process: listen, make the provider, serve, drain, exit.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;
use tonic::transport::server::{Router, TcpIncoming};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::error::Result;
use crate::host::{CLOSE_GRACE, Host, Identity};
use crate::provider::{Definition, Provider};
use crate::secrets::Secrets;
use crate::service::{Open, Service};
use crate::v1::media_provider_server::MediaProviderServer;
use crate::{logs, processes};

const DRAINED: i32 = 0;
const USAGE: i32 = 64;
const PROVIDER: i32 = 70;

const SERVICE: &str = "mediaconduit.v1.MediaProvider";
const DEFAULT_LISTEN: &str = "127.0.0.1:50052";
const MESSAGE_BYTES: usize = (4 << 20) + (64 << 10);
/// Flow-control window of a stream.
const READ_AHEAD_BYTES: u32 = 256 << 10;
/// What running calls get when draining.
const GRACE: Duration = Duration::from_secs(10);
/// How long connections stay open for callers to read how their calls ended.
const FAREWELL: Duration = Duration::from_millis(100);

/// Serves a provider until SIGTERM, SIGINT or the end of the lifeline, and ends the process: with 0 when it was drained,
/// 64 for a wrong environment, 70 when the provider could not be made or set up.
///
/// | variable | |
/// |---|---|
/// | `MEDIACONDUIT_LISTEN` | `unix:/path` or `host:port`; default 127.0.0.1:50052 |
/// | `MEDIACONDUIT_PROVIDER` | the id it is to have; default: that of the definition |
/// | `MEDIACONDUIT_PROVIDER_VERSION` | version to report |
/// | `MEDIACONDUIT_INSTANCE` | nonce that Describe echoes |
/// | `MEDIACONDUIT_LIFELINE` | `stdin`: exit at EOF of stdin |
/// | `MEDIACONDUIT_SECRETS` | names, separated by commas, of the keys that the first Configure brings: the provider is made after it, and calls fail while one of them is missing |
///
/// `new` makes the provider, once.
pub fn serve<P, New>(definition: Definition, new: New) -> !
where
    P: Provider,
    New: FnOnce(Secrets) -> Result<P>,
{
    let lifeline = variable("MEDIACONDUIT_LIFELINE");
    logs::configure(!lifeline.is_empty());
    // Secrets come by Configure and stay in memory, which other sidecars of this user must not read.
    processes::hide_memory();
    let code = match Sidecar::new(definition, &lifeline) {
        Err(why) => {
            log::error!("{why}");
            USAGE
        }
        Ok(sidecar) => {
            // Two threads: what a provider computes belongs onto those for blocking work.
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(sidecar.run(new)),
                Err(error) => {
                    log::error!("no runtime: {error}");
                    PROVIDER
                }
            }
        }
    };
    leave(code)
}

/// Ends the process with its children, whatever threads of authors still do.
fn leave(code: i32) -> ! {
    processes::kill_children();
    if let Some(folder) = variable_path("TMPDIR").filter(|path| path.ends_with(own_folder_name())) {
        let _ = fs::remove_dir_all(folder);
    }
    // SAFETY: ends the process at once; nothing of ours is to be run at exit.
    unsafe { libc::_exit(code) }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn variable_path(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

fn own_folder_name() -> String {
    format!("mediaconduit-sidecar-{}", std::process::id())
}

/// Makes one folder for all temporary files of the process, so that they end with it.
fn use_own_folder() {
    let folder = std::env::temp_dir().join(own_folder_name());
    if fs::create_dir(&folder).is_ok() {
        // SAFETY: no other thread of this process runs yet.
        unsafe { std::env::set_var("TMPDIR", &folder) };
    }
}

/// One process: its address, and what ends it.
struct Sidecar<P> {
    listen: String,
    host: Arc<Host<P>>,
    open: Arc<Open>,
    first: mpsc::Receiver<HashMap<String, String>>,
    router: Option<Router>,
    health: HealthReporter,
    lifeline: bool,
}

/// How the end of a sidecar was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    NotYet,
    Drain,
    Hurry,
}

type Stop = watch::Receiver<End>;

impl<P: Provider> Sidecar<P> {
    fn new(definition: Definition, lifeline: &str) -> Result<Self, String> {
        if !matches!(lifeline, "" | "stdin") {
            return Err("MEDIACONDUIT_LIFELINE may only be 'stdin'".into());
        }
        if ["CERTIFICATE", "KEY", "PEER"].iter().any(|part| !variable(&format!("MEDIACONDUIT_TLS_{part}")).is_empty()) {
            return Err("MEDIACONDUIT_TLS_*: this host has no TLS; set isolation.transport to unix".into());
        }
        let names = Secrets::names_of(&variable("MEDIACONDUIT_SECRETS"))
            .map_err(|why| format!("MEDIACONDUIT_SECRETS: {why}"))?;
        let listen = Some(variable("MEDIACONDUIT_LISTEN")).filter(|it| !it.is_empty());
        let id = Some(variable("MEDIACONDUIT_PROVIDER")).filter(|it| !it.is_empty());
        let identity = Identity {
            id: id.unwrap_or_else(|| definition.id.clone()),
            version: variable("MEDIACONDUIT_PROVIDER_VERSION"),
            instance: variable("MEDIACONDUIT_INSTANCE"),
        };
        use_own_folder();
        if !lifeline.is_empty() {
            processes::lead_group();
        }
        let host = Arc::new(Host::new(definition, identity, Secrets::new(names))?);
        let (sender, first) = mpsc::channel(1);
        let open = Arc::<Open>::default();
        let service = Service { host: host.clone(), open: open.clone(), first: sender };
        let (health, health_service) = tonic_health::server::health_reporter();
        let described = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(crate::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let odd = |error: tonic_reflection::server::Error| format!("reflection: {error}");
        let router = Server::builder()
            .initial_stream_window_size(READ_AHEAD_BYTES)
            .add_service(
                MediaProviderServer::new(service)
                    .max_decoding_message_size(MESSAGE_BYTES)
                    .max_encoding_message_size(MESSAGE_BYTES),
            )
            .add_service(health_service)
            .add_service(described().build_v1().map_err(odd)?)
            .add_service(described().build_v1alpha().map_err(odd)?);
        let listen = listen.unwrap_or_else(|| DEFAULT_LISTEN.into());
        Ok(Sidecar { listen, host, open, first, router: Some(router), health, lifeline: !lifeline.is_empty() })
    }

    /// Serves until something ends it; gives the exit code.
    async fn run(mut self, new: impl FnOnce(Secrets) -> Result<P>) -> i32 {
        let mut stop = match watch_for_the_end(self.lifeline) {
            Ok(stop) => stop,
            Err(error) => return failed(PROVIDER, "signals", error),
        };
        self.health.set_service_status(SERVICE, ServingStatus::NotServing).await;
        let waits = self.host.secrets.are_needed();
        if waits {
            if let Err(error) = self.listen().await {
                return failed(USAGE, &format!("cannot listen on {}", self.listen), error);
            }
            tokio::select! {
                given = self.first.recv() => drop(self.host.secrets.put(given.unwrap_or_default())),
                () = asked(&mut stop) => return self.gone().await,
            }
        }
        let secrets = self.host.secrets.clone();
        match catch_unwind(AssertUnwindSafe(|| new(secrets))) {
            Ok(Ok(provider)) => self.host.take(provider),
            Ok(Err(error)) => return failed(PROVIDER, "the provider could not be made", error),
            Err(_) => return failed(PROVIDER, "the provider could not be made", "it panicked"),
        }
        if !waits && let Err(error) = self.listen().await {
            return failed(USAGE, &format!("cannot listen on {}", self.listen), error);
        }
        self.serve(stop).await
    }

    /// Answers from here on.
    async fn listen(&mut self) -> std::io::Result<()> {
        let Some(router) = self.router.take() else { return Ok(()) };
        if let Some(path) = self.socket() {
            let _ = fs::remove_file(&path);
            let listener = {
                let _private = processes::private_files();
                UnixListener::bind(path)?
            };
            tokio::spawn(router.serve_with_incoming(UnixListenerStream::new(listener)));
        } else {
            let incoming = TcpIncoming::from(TcpListener::bind(&self.listen).await?).with_nodelay(Some(true));
            tokio::spawn(router.serve_with_incoming(incoming));
        }
        Ok(())
    }

    fn socket(&self) -> Option<PathBuf> {
        let path = self.listen.strip_prefix("unix:")?;
        Some(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
    }

    async fn serve(self, mut stop: Stop) -> i32 {
        let host = self.host.clone();
        let mut setup = tokio::spawn(async move { host.set_up().await });
        let mut code = DRAINED;
        tokio::select! {
            result = &mut setup => match result.unwrap_or_else(|panicked| Err(panicked.into())) {
                Ok(()) => {
                    self.health.set_service_status(SERVICE, ServingStatus::Serving).await;
                    asked(&mut stop).await;
                }
                Err(error) => code = failed(PROVIDER, "setup failed", error),
            },
            () = asked(&mut stop) => setup.abort(),
        }
        self.health.set_service_status(SERVICE, ServingStatus::NotServing).await;
        let grace = if code == DRAINED && *stop.borrow() != End::Hurry { GRACE } else { Duration::ZERO };
        self.host.finish(grace, hurried(stop)).await;
        self.gone().await;
        code
    }

    /// Once calls that have ended could say so.
    async fn gone(&self) -> i32 {
        self.open.all_told(CLOSE_GRACE).await;
        sleep(FAREWELL).await;
        if let Some(socket) = self.socket() {
            let _ = fs::remove_file(socket);
        }
        DRAINED
    }
}

fn failed(code: i32, what: &str, why: impl std::fmt::Display) -> i32 {
    log::error!("{what}: {why}");
    code
}

async fn asked(stop: &mut Stop) {
    let _ = stop.wait_for(|end| *end != End::NotYet).await;
}

async fn hurried(mut stop: Stop) {
    let _ = stop.wait_for(|end| *end == End::Hurry).await;
}

/// The first signal drains, the second one does not wait for calls, nor does the end of the lifeline. Nobody waits for
/// code that blocks.
fn watch_for_the_end(lifeline: bool) -> std::io::Result<Stop> {
    let (sender, stop) = watch::channel(End::NotYet);
    let (mut terminated, mut interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let signalled = sender.clone();
    // Ends with the process, as does the thread below.
    tokio::spawn(async move {
        for end in [End::Drain, End::Hurry] {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
            signalled.send_if_modified(|known| {
                let changes = *known != End::Hurry;
                if changes {
                    *known = end;
                }
                changes
            });
            if end == End::Drain {
                leave_after(GRACE + CLOSE_GRACE + Duration::from_secs(1));
            }
        }
    });
    if lifeline {
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while std::io::stdin().read(&mut buffer).is_ok_and(|count| count > 0) {}
            sender.send_replace(End::Hurry);
            leave_after(CLOSE_GRACE);
        });
    }
    Ok(stop)
}

/// Ends the process when nothing else has by then.
fn leave_after(time: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(time);
        leave(DRAINED);
    });
}
