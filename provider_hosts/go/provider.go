// Package provider hosts a MediaConduit provider written in Go.
//
// A complete provider:
//
//	func main() {
//		provider.Main(provider.Definition{ID: "shout", New: func() (provider.Provider, error) { return shout{}, nil }})
//	}
//
//	type shout struct{}
//
//	func (shout) Models(context.Context) ([]provider.Model, error) {
//		return []provider.Model{{ID: "default", Capabilities: []string{"text-to-text"}}}, nil
//	}
//
//	func (shout) Transform(ctx context.Context, call *provider.Call, out *provider.Output) error {
//		return out.Text(strings.ToUpper(call.Text()))
//	}
//
// The host does the rest: it serves the contract, checks requests and options, numbers and joins events, bounds what is in
// flight, and turns errors and panics into typed failures.
package provider

import (
	"context"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

// Provider turns media into media. One value serves all calls of a sidecar, concurrently.
type Provider interface {
	// Models lists the models. It is asked again after every Configure, and when a caller wants a fresh list.
	Models(ctx context.Context) ([]Model, error)
	// Transform does the work: it reads the call and writes to out. What it returns ends the call: nil for success, an
	// *Error for a failure its caller can do something about. ctx ends when the caller leaves or its deadline passes;
	// return then, for the call keeps its place until Transform has come back.
	Transform(ctx context.Context, call *Call, out *Output) error
}

// Setupper is a Provider that prepares what calls need. The sidecar takes no calls until Setup returns, and an error ends
// it. Every report gives whoever waits more time.
type Setupper interface {
	Setup(ctx context.Context, report func(fraction float64, message string)) error
}

// Configurer is a Provider with settings, given as the schema of its Definition describes them. They replace those before;
// an *Error refuses them.
type Configurer interface {
	Configure(ctx context.Context, settings map[string]any) error
}

// Closer is a Provider that frees what it holds, once, when the sidecar ends.
type Closer interface {
	Close(ctx context.Context) error
}

// Definition says what is hosted.
type Definition struct {
	// ID is used where nobody says which id the provider is to have.
	ID string
	// DisplayName is for people; the id where empty.
	DisplayName string
	// New makes the provider, once. Where the manifest names secrets, they are in this process's environment by then.
	New func() (Provider, error)
	// SettingsSchema is a JSON Schema of an object, as JSON text; secrets are marked "writeOnly": true. Empty = no settings.
	SettingsSchema string
	// MaxConcurrency is how many calls run at once, one more is refused; 0 = 16, negative = no limit.
	MaxConcurrency int
}

// Option is an option a model takes.
type Option struct {
	// Path is its place in TransformOptions ("seed", "text.temperature", durations in seconds); a model's own begin with
	// "extra.".
	Path string
	// Schema is JSON Schema, as JSON text.
	Schema string
}

// InputSpec is an input a model takes. The host enforces it.
type InputSpec struct {
	// Name is Part.name; empty for the main input.
	Name string
	// MediaTypes are those accepted ("image/*"); empty accepts any.
	MediaTypes []string
	// Required refuses a call without it.
	Required bool
	// MaxBytes is its largest size; 0 = no limit.
	MaxBytes int64
	// MaxCount is the most parts with this name; 0 = 1. Main inputs are not counted.
	MaxCount int
}

// Model is a model of a provider.
type Model struct {
	// ID is the vendor's own id; it becomes "providers/{provider}/models/{id}".
	ID           string
	Capabilities []string
	DisplayName  string
	Description  string
	// Options are all it takes: any other is refused, or dropped where the caller is lenient.
	Options []Option
	// Inputs are those with names, media types and limits; the main one is taken as it comes when not listed.
	Inputs []InputSpec
	// OutputMediaTypes are what it can make, the default first.
	OutputMediaTypes []string
	Features         []string
	// ContextTokens and MaxOutputTokens are 0 when unknown.
	ContextTokens, MaxOutputTokens int64
	// Pricing is nil when unknown, without rates when free.
	Pricing *pb.Pricing
	// State is for models on this machine.
	State pb.ModelState
	// CanonicalID is the same for the same model at other providers.
	CanonicalID string
}

const (
	defaultConcurrency = 16
	noSettings         = `{"type":"object","additionalProperties":false}`
	contractRevision   = 1
)

func (d Definition) concurrency() int {
	if d.MaxConcurrency == 0 {
		return defaultConcurrency
	}
	return max(d.MaxConcurrency, 0)
}

func (d Definition) settingsSchema() string {
	if d.SettingsSchema == "" {
		return noSettings
	}
	return d.SettingsSchema
}

func (d Definition) displayName(id string) string {
	if d.DisplayName == "" {
		return id
	}
	return d.DisplayName
}
