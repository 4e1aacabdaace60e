package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"runtime/debug"
	"sync"
	"time"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

// closeGrace is what everything together gets once the lifeline closed.
const closeGrace = 2 * time.Second

// life is where a sidecar is in its life.
type life string

const (
	loading  life = "LOADING"
	ready    life = "READY"
	draining life = "DRAINING"
)

// host runs one provider. It knows nothing of gRPC.
type host struct {
	definition  Definition
	providerID  string
	version     string
	instance    string
	secrets     *secrets
	calls       *calls
	generations *generations
	settings    *checker
	silence     time.Duration

	// made is closed when the provider is there, setUp when it has been set up.
	made, setUp chan struct{}
	provider    Provider
	catalog     *catalog

	configuring sync.Mutex
	current     map[string]any

	mutex    sync.Mutex
	state    life
	progress *pb.Progress
}

func newHost(definition Definition, id, version, instance string, keys *secrets) (*host, error) {
	settings, err := newChecker(definition.settingsSchema(), true)
	if err != nil {
		return nil, fmt.Errorf("SettingsSchema: %w", err)
	}
	return &host{
		definition: definition, providerID: id, version: version, instance: instance, secrets: keys,
		calls: newCalls(definition.concurrency()), generations: newGenerations(), settings: settings, silence: heartbeat,
		made: make(chan struct{}), setUp: make(chan struct{}), state: loading, current: map[string]any{},
	}, nil
}

// construct makes the provider.
func (h *host) construct() (err error) {
	defer recovered("making the provider", &err)
	made, err := h.definition.New()
	if err != nil {
		return err
	}
	h.provider, h.catalog = made, newCatalog(made, h.providerID)
	close(h.made)
	return nil
}

// prepare sets the provider up; it takes calls afterwards.
func (h *host) prepare(ctx context.Context) (err error) {
	defer recovered("setting the provider up", &err)
	if setupper, has := h.provider.(Setupper); has {
		if err := setupper.Setup(ctx, h.report); err != nil {
			return err
		}
	}
	var wrong modelError
	if _, _, err := h.catalog.list(ctx, true); errors.As(err, &wrong) {
		return err
	} else if err != nil {
		slog.Warn("the provider could not list its models yet", "error", err)
	}
	close(h.setUp)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.state == loading {
		h.state = ready
	}
	return nil
}

// recovered makes a panic an error. Deferred.
func recovered(what string, err *error) {
	if panicked := recover(); panicked != nil {
		*err = fmt.Errorf("%s: panic: %v\n%s", what, panicked, debug.Stack())
	}
}

func (h *host) report(fraction float64, message string) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.progress = &pb.Progress{Stage: "loading", Message: wellFormed(message)}
	if fraction >= 0 {
		h.progress.Fraction = &fraction
	}
}

// loadingProgress is how far setting up is; nil once it is over.
func (h *host) loadingProgress() *pb.Progress {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.state != loading {
		return nil
	}
	return h.progress
}

// configure sets variables, checks settings as a whole and hands them to the provider; a failure leaves the old ones. No
// settings = as they were.
func (h *host) configure(ctx context.Context, settings map[string]any, given map[string]string) (err error) {
	select {
	case <-h.setUp:
	case <-ctx.Done():
		return ctx.Err()
	}
	h.configuring.Lock()
	defer h.configuring.Unlock()
	wanted := settings
	if wanted == nil {
		wanted = h.current
	} else if fields := h.settings.violations(settings, "settings"); len(fields) > 0 {
		failure := invalid(fields)
		failure.Message = "the settings are not valid"
		return failure
	}
	had, err := h.secrets.put(given)
	if err != nil {
		return err
	}
	if settings == nil && maps.Equal(had, given) {
		return nil
	}
	if err := h.hand(ctx, wanted); err != nil {
		var failure *Error
		if errors.As(err, &failure) {
			err = h.secrets.clean(failure)
		}
		_, _ = h.secrets.put(had)
		return err
	}
	if !reflect.DeepEqual(h.current, wanted) || !maps.Equal(had, given) {
		h.catalog.forget()
	}
	h.current = wanted
	return nil
}

func (h *host) hand(ctx context.Context, settings map[string]any) (err error) {
	defer recovered("configuring the provider", &err)
	if configurer, has := h.provider.(Configurer); has {
		return configurer.Configure(ctx, settings)
	}
	return nil
}

// checkReady refuses while loading and draining.
func (h *host) checkReady() error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	switch h.state {
	case ready:
		return nil
	case draining:
		return Errorf(ProviderDraining, "the provider is going away").WithHint("send the call to another one").
			With("state", string(draining)).retryAfter(time.Second)
	}
	return Errorf(ProviderNotReady, "the provider is still loading").WithHint("its health says when it is ready").
		With("state", string(loading)).retryAfter(time.Second)
}

// plan is the call that a request means, checked.
func (h *host) plan(ctx context.Context, request *pb.TransformRequest, arrives bool) (*Call, error) {
	if err := h.checkReady(); err != nil {
		return nil, err
	}
	if request.GetModel() == "" && request.GetCapability() == "" {
		return nil, Invalid("model", "no model is named").WithHint("ListModels gives what there is")
	}
	found, err := h.catalog.choose(ctx, request.GetModel(), request.GetCapability())
	if err != nil {
		return nil, err
	}
	capability := request.GetCapability()
	if capability == "" {
		capability = inferCapability(found.model, request.GetTurns())
	}
	if err := checkRequest(request, found.model); err != nil {
		return nil, err
	}
	call, err := newCall(request, found, capability, factsOf(ctx, request.GetRequestId()))
	if err != nil {
		return nil, err
	}
	if !arrives {
		for _, input := range call.inputs {
			if input.arriving != nil {
				return nil, Invalid(input.Field+".stream", "chunks cannot follow here").WithHint("use TransformLive")
			}
		}
	}
	return call, nil
}

// start begins a call, in a place of its own.
func (h *host) start(ctx context.Context, call *Call) (*run, error) {
	if err := h.checkReady(); err != nil {
		return nil, err
	}
	if err := h.secrets.require(); err != nil {
		return nil, err
	}
	started := newRun(ctx, call, h.secrets.clean, h.silence)
	if err := h.calls.enter(started); err != nil {
		return nil, err
	}
	started.left = func(ended *run) {
		h.generations.add(ended.record())
		h.calls.leave(ended)
	}
	go started.main(h.provider)
	return started, nil
}

// drain takes no more calls from here on.
func (h *host) drain() {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.state = draining
}

// finish lets running calls end for a while, which hurry cuts short, cancels the rest, and frees what the provider holds.
func (h *host) finish(grace time.Duration, hurry <-chan struct{}) {
	h.drain()
	if grace > 0 {
		select {
		case <-h.calls.drained():
		case <-time.After(grace):
		case <-hurry:
		}
	}
	h.calls.cancelAll(Errorf(ProviderDraining, "the provider stopped before the work was done"))
	select {
	case <-h.calls.drained():
	case <-time.After(closeGrace / 2):
		active, _ := h.calls.counts()
		slog.Warn("calls did not end when cancelled", "calls", active)
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace/2)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- h.close(ctx) }()
	select {
	case err := <-closed:
		if err != nil {
			slog.Error("closing the provider failed", "error", err)
		}
	case <-ctx.Done():
		slog.Warn("closing the provider took too long")
	}
}

func (h *host) close(ctx context.Context) (err error) {
	defer recovered("closing the provider", &err)
	if closer, has := h.provider.(Closer); has {
		return closer.Close(ctx)
	}
	return nil
}
