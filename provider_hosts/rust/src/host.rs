//! The state of a sidecar: its provider, whether it is ready, its calls. Knows nothing of gRPC.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::time::timeout;

use crate::call::Call;
use crate::calls::{Calls, Cancel};
use crate::catalog::{Catalog, Listed};
use crate::checks::{check_request, infer_capability};
use crate::error::{Error, Failure, Reason};
use crate::facts::CallFacts;
use crate::generations::Generations;
use crate::provider::{Definition, Provider};
use crate::run::Run;
use crate::schema::Checker;
use crate::secrets::Secrets;
use crate::v1::part::Content;
use crate::v1::{Progress, TransformRequest};

/// What everything together gets once the lifeline closed.
pub(crate) const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// Where a sidecar is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// The provider waits for its secrets.
    Waiting,
    Loading,
    Ready,
    Draining,
}

/// How far setting up is. With every report whoever waits for the provider gives it more time.
#[derive(Default)]
pub struct Loading(Mutex<Option<Progress>>);

impl Loading {
    /// `fraction` is 0 to 1; None when unknown. The message is for people ("weights, 3 of 7").
    pub fn report(&self, fraction: Option<f64>, message: impl Into<String>) {
        let progress = Progress { fraction, stage: "loading".into(), message: message.into(), ..Default::default() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
    }

    fn progress(&self) -> Option<Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Who a sidecar is.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) instance: String,
}

/// Runs one provider.
pub(crate) struct Host<P> {
    pub(crate) definition: Definition,
    pub(crate) identity: Identity,
    pub(crate) secrets: Secrets,
    pub(crate) calls: Arc<Calls>,
    pub(crate) generations: Arc<Generations>,
    pub(crate) catalog: Catalog,
    provider: Mutex<Option<Arc<P>>>,
    loading: Loading,
    settings: Checker,
    /// In force; held while they change.
    current: AsyncMutex<Map<String, Value>>,
    life: watch::Sender<Life>,
}

impl<P: Provider> Host<P> {
    pub(crate) fn new(definition: Definition, identity: Identity, secrets: Secrets) -> Result<Self, String> {
        let settings =
            Checker::new(&definition.settings_schema, true).map_err(|why| format!("settings_schema {why}"))?;
        Ok(Host {
            calls: Calls::new(definition.max_concurrency),
            generations: Arc::default(),
            catalog: Catalog::new(&identity.id),
            definition,
            identity,
            secrets,
            provider: Mutex::new(None),
            loading: Loading::default(),
            settings,
            current: AsyncMutex::default(),
            life: watch::Sender::new(Life::Waiting),
        })
    }

    /// The provider is there.
    pub(crate) fn take(&self, provider: P) {
        *self.slot() = Some(Arc::new(provider));
        self.life.send_replace(Life::Loading);
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<P>>> {
        self.provider.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The provider, once it was made.
    fn provider(&self) -> Result<Arc<P>, Failure> {
        self.slot().clone().ok_or_else(|| {
            Failure::new(Reason::ProviderNotReady, "the provider waits for its secrets")
                .hint("its broker brings them with Configure")
                .with("state", "LOADING")
                .retry_after(Duration::from_secs(1))
        })
    }

    pub(crate) fn life(&self) -> Life {
        *self.life.borrow()
    }

    /// How far setting up is; None once it is over.
    pub(crate) fn loading(&self) -> Option<Progress> {
        (self.life() == Life::Loading).then(|| self.loading.progress()).flatten()
    }

    /// Prepares the provider; it takes calls afterwards.
    pub(crate) async fn set_up(&self) -> Result<(), Error> {
        let provider = self.provider()?;
        provider.setup(&self.loading).await?;
        match provider.models().await {
            Ok(models) => {
                self.catalog.take(models).map_err(Error::unexpected)?;
            }
            Err(error) => log::warn!("the provider could not list its models yet: {error}"),
        }
        self.life.send_if_modified(|life| {
            let begins = *life == Life::Loading;
            if begins {
                *life = Life::Ready;
            }
            begins
        });
        Ok(())
    }

    /// Takes secrets, checks settings as a whole and hands them to the provider; a failure leaves the old ones. No
    /// settings = as they were.
    pub(crate) async fn configure(
        &self,
        settings: Option<Map<String, Value>>,
        given: HashMap<String, String>,
    ) -> Result<(), Failure> {
        let mut life = self.life.subscribe();
        let _ = life.wait_for(|life| *life != Life::Waiting && *life != Life::Loading).await;
        let mut current = self.current.lock().await;
        if let Some(settings) = &settings {
            let violations = self.settings.violations(settings, "settings");
            if !violations.is_empty() {
                let message = "the settings are not valid".into();
                return Err(Failure { message, ..Failure::invalid_fields(violations) });
            }
        }
        let had = self.secrets.put(given.clone());
        if settings.is_none() && had == given {
            return Ok(());
        }
        let wanted = settings.unwrap_or_else(|| current.clone());
        if let Err(error) = self.provider()?.configure(wanted.clone()).await {
            let failure = self.secrets.clean(error.told("Configure"));
            self.secrets.put(had);
            return Err(failure);
        }
        *current = wanted;
        self.catalog.forget();
        Ok(())
    }

    /// Refuses while loading and draining.
    pub(crate) fn check_ready(&self) -> Result<Arc<P>, Failure> {
        let provider = self.provider()?;
        let (reason, message, hint, state) = match self.life() {
            Life::Ready => return Ok(provider),
            Life::Draining => {
                (Reason::ProviderDraining, "the provider is going away", "send the call to another one", "DRAINING")
            }
            Life::Waiting | Life::Loading => (
                Reason::ProviderNotReady,
                "the provider is still loading",
                "its health says when it is ready",
                "LOADING",
            ),
        };
        Err(Failure::new(reason, message).hint(hint).with("state", state).retry_after(Duration::from_secs(1)))
    }

    /// The models, from the cache unless fresh ones are wanted.
    pub(crate) async fn list(&self, refresh: bool) -> Result<Listed, Failure> {
        let provider = self.check_ready()?;
        if let (Some(listed), false) = (self.catalog.listed(), refresh) {
            return Ok(listed);
        }
        let models = provider.models().await.map_err(|error| self.secrets.clean(error.told("models")))?;
        self.catalog.take(models).map_err(|why| Failure::logged("models", why))
    }

    /// The call that a request means, checked.
    pub(crate) async fn plan(
        &self,
        request: TransformRequest,
        facts: CallFacts,
        arrives: bool,
    ) -> Result<Call, Failure> {
        let listed = self.list(false).await?;
        if request.model.is_empty() && request.capability.is_empty() {
            return Err(Failure::invalid("model", "no model is named").hint("ListModels gives what there is"));
        }
        let entry = self.catalog.choose(&listed.entries, &request.model, &request.capability)?;
        let mut capability = request.capability.clone();
        if capability.is_empty() {
            capability = infer_capability(&entry.model, &request.turns);
        }
        check_request(&request, &entry.model)?;
        if !arrives {
            refuse_streams(&request)?;
        }
        Call::new(request, entry, capability, facts)
    }

    /// Begins a call, in a place of its own.
    pub(crate) fn start(&self, call: Call) -> Result<Arc<Run>, Failure> {
        let provider = self.check_ready()?;
        self.secrets.require()?;
        let cancel = Arc::new(Cancel::default());
        let place = self.calls.enter(cancel.clone())?;
        let run = Run::new(&call, cancel);
        let main = run.clone().main(provider, call, place, self.secrets.clone(), self.generations.clone());
        // Owned by its place: `finish` cancels whoever holds one, and waits for it.
        tokio::spawn(main);
        Ok(run)
    }

    /// No more calls from here on.
    pub(crate) fn drain(&self) {
        self.life.send_replace(Life::Draining);
    }

    /// Lets running calls end for a while, cancels the rest, and frees what the provider holds.
    pub(crate) async fn finish(&self, grace: Duration, hurry: impl Future<Output = ()>) {
        self.drain();
        if !grace.is_zero() {
            tokio::select! {
                _ = self.calls.drained_within(grace) => {}
                () = hurry => {}
            }
        }
        self.calls.cancel_all(&Failure::new(Reason::ProviderDraining, "the provider stopped before the work was done"));
        if !self.calls.drained_within(CLOSE_GRACE / 2).await {
            log::warn!("{} calls did not end when cancelled", self.calls.counts().0);
        }
        let provider = self.slot().clone();
        if let Some(provider) = provider
            && timeout(CLOSE_GRACE / 2, provider.close()).await.is_err()
        {
            log::warn!("closing the provider took too long");
        }
    }
}

fn refuse_streams(request: &TransformRequest) -> Result<(), Failure> {
    for (t, turn) in request.turns.iter().enumerate() {
        for (p, part) in turn.parts.iter().enumerate() {
            if let Some(Content::Stream(_)) = part.content {
                return Err(Failure::invalid(format!("turns[{t}].parts[{p}].stream"), "chunks cannot follow here")
                    .hint("use TransformLive"));
            }
        }
    }
    Ok(())
}
