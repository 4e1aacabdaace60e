package main

import (
	"context"
	"strconv"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	mediaconduit "github.com/mediaconduit/mediaconduit/tests/providers/gocount/gen/mediaconduit/v1"
)

const (
	maxConcurrency   = 16
	contractRevision = 1
	capability       = "text-to-text"
	maxInputBytes    = 1 << 20
	settingsSchema   = `{"type":"object","properties":{},"additionalProperties":false}`
	optionsSchema    = `{"type":"object","properties":{"extra":{"type":"object","properties":{"top":{"type":"integer",` +
		`"minimum":1,"maximum":20,"default":3,"description":"How many of the most frequent words to name."}},` +
		`"additionalProperties":false}},"additionalProperties":false}`
)

// identity is who the broker takes this process for.
type identity struct{ id, version, instance string }

func (i identity) name() string  { return "providers/" + i.id }
func (i identity) model() string { return i.name() + "/models/default" }

// provider serves the contract. Its one model counts words.
type provider struct {
	mediaconduit.UnimplementedMediaProviderServer
	who identity

	mutex    sync.Mutex
	active   int
	draining bool
	idle     *sync.Cond
}

func newProvider(who identity) *provider {
	p := &provider{who: who}
	p.idle = sync.NewCond(&p.mutex)
	return p
}

// enter takes a place for a call; leave gives it back.
func (p *provider) enter() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	switch {
	case p.draining:
		return draining()
	case p.active >= maxConcurrency:
		return overloaded()
	}
	p.active++
	return nil
}

func (p *provider) leave() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.active--
	p.idle.Broadcast()
}

// drain lets no call in any more and returns when the last has left.
func (p *provider) drain() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.draining = true
	for p.active > 0 {
		p.idle.Wait()
	}
}

func (p *provider) Describe(context.Context, *mediaconduit.DescribeRequest) (*mediaconduit.DescribeResponse, error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return &mediaconduit.DescribeResponse{
		ProviderId:       p.who.id,
		DisplayName:      "Word count in Go",
		Version:          p.who.version,
		InstanceId:       p.who.instance,
		ContractRevision: contractRevision,
		Capabilities:     []string{capability},
		SettingsSchema:   settingsSchema,
		MaxConcurrency:   maxConcurrency,
		ActiveCalls:      int32(p.active),
	}, nil
}

func (p *provider) Configure(
	_ context.Context, request *mediaconduit.ConfigureRequest,
) (*mediaconduit.ConfigureResponse, error) {
	for name := range request.GetSettings().GetFields() {
		return nil, invalid("settings."+name, "there is no such setting; this provider has none")
	}
	return &mediaconduit.ConfigureResponse{}, nil
}

func (p *provider) model() *mediaconduit.Model {
	return &mediaconduit.Model{
		Name:             p.who.model(),
		DisplayName:      "Word count",
		Description:      "Words, characters and lines of a text, and its most frequent words.",
		Capabilities:     []string{capability},
		Inputs:           []*mediaconduit.InputSpec{{MediaTypes: []string{"text/plain"}, Required: true, MaxBytes: maxInputBytes}},
		OutputMediaTypes: []string{outputType},
		OptionsSchema:    optionsSchema,
		State:            mediaconduit.ModelState_MODEL_STATE_LOADED,
	}
}

func (p *provider) ListModels(
	_ context.Context, request *mediaconduit.ListModelsRequest,
) (*mediaconduit.ListModelsResponse, error) {
	models := []*mediaconduit.Model{}
	if wanted := request.GetCapability(); wanted == "" || wanted == capability {
		models = append(models, p.model())
	}
	offset := 0
	if token := request.GetPageToken(); token != "" {
		var err error
		if offset, err = strconv.Atoi(token); err != nil || offset < 0 || offset > len(models) {
			return nil, invalid("page_token", "is none that was given")
		}
	}
	return &mediaconduit.ListModelsResponse{Models: models[offset:]}, nil
}

func (p *provider) GetModel(
	_ context.Context, request *mediaconduit.GetModelRequest,
) (*mediaconduit.GetModelResponse, error) {
	if request.GetName() != p.who.model() {
		return nil, modelNotFound(request.GetName())
	}
	return &mediaconduit.GetModelResponse{Model: p.model()}, nil
}

func (p *provider) WatchGenerations(
	*mediaconduit.WatchGenerationsRequest, mediaconduit.MediaProvider_WatchGenerationsServer,
) error {
	return failure(codes.Unimplemented, "SERVICE_UNSUPPORTED", "this provider keeps no generations")
}

// check says what is wrong with a request, before any work is done.
func (p *provider) check(request *mediaconduit.TransformRequest) error {
	if request.GetModel() != p.who.model() {
		return modelNotFound(request.GetModel())
	}
	if wanted := request.GetCapability(); wanted != "" && wanted != capability {
		return failure(codes.FailedPrecondition, "CAPABILITY_UNSUPPORTED", "the model does "+capability+" alone")
	}
	if len(request.GetTurns()) == 0 {
		return invalid("turns", "there is nothing to count")
	}
	return nil
}

// clone keeps a request that belongs to gRPC.
func clone(request *mediaconduit.TransformRequest) *mediaconduit.TransformRequest {
	return proto.Clone(request).(*mediaconduit.TransformRequest)
}
