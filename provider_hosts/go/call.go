package provider

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"

	"google.golang.org/protobuf/proto"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

// textLimit is the most bytes of a text that arrives in chunks: Transform gets it whole.
const textLimit = 16 << 20

// Call is one call.
type Call struct {
	// Model is the one asked for.
	Model Model
	// Capability is what is wanted, also where the caller named none.
	Capability string
	// Turns are the conversation as sent.
	Turns []*pb.Turn
	// Options are in force: validated, without those that were dropped.
	Options *pb.TransformOptions
	// Labels are the caller's, for accounting.
	Labels map[string]string
	// AffinityKey is shared by the calls of one conversation: pass it on as the vendor's cache key.
	AffinityKey string
	// ResumeToken is from an earlier Checkpoint: go on with that work. Empty otherwise.
	ResumeToken []byte
	// Generation is the record of this call, "generations/{id}".
	Generation string
	// Caller is who calls, as the broker says; empty without a broker.
	Caller string
	// Log logs with the call's generation.
	Log *slog.Logger

	entry    *entry
	facts    callFacts
	parents  []string
	notices  []*pb.Notice
	values   map[string]any
	inputs   []*Input
	arriving map[int32]*arriving

	mutex  sync.Mutex
	folder string
}

// newCall is what a checked request means.
func newCall(request *pb.TransformRequest, found *entry, capability string, facts callFacts) (*Call, error) {
	options, values, notices, err := found.schema.check(request.GetOptions())
	if err != nil {
		return nil, err
	}
	call := &Call{
		Model: found.model, Capability: capability, Turns: request.GetTurns(), Options: options,
		Labels: request.GetLabels(), AffinityKey: request.GetAffinityKey(), ResumeToken: request.GetResumeToken(),
		Generation: facts.generation, Caller: facts.caller,
		Log:   slog.Default().With("generation", facts.generation),
		entry: found, facts: facts, parents: request.GetParentGenerations(), notices: notices, values: values,
		arriving: map[int32]*arriving{},
	}
	return call, call.collectInputs()
}

func (c *Call) collectInputs() error {
	for t, turn := range c.Turns {
		if !isUser(turn) {
			continue
		}
		for p, part := range turn.GetParts() {
			if !isMedia(part) {
				continue
			}
			field := fmt.Sprintf("turns[%d].parts[%d]", t, p)
			input := &Input{Name: part.GetName(), MediaType: mediaTypeOf(part), Field: field, part: part}
			if announced, isStream := part.GetContent().(*pb.Part_Stream); isStream {
				if c.arriving[announced.Stream] != nil {
					return Invalid(field+".stream", "is announced twice")
				}
				input.arriving = newArriving(part, field, c.newFile)
				c.arriving[announced.Stream] = input.arriving
			}
			c.inputs = append(c.inputs, input)
		}
	}
	return nil
}

// Text is the text of the last user turn's main input, its parts joined by line ends; empty when there is none.
func (c *Call) Text() string {
	for at := len(c.Turns) - 1; at >= 0; at-- {
		if !isUser(c.Turns[at]) {
			continue
		}
		var texts []string
		for _, part := range c.Turns[at].GetParts() {
			if text := textOf(part); part.GetName() == "" && text != "" {
				texts = append(texts, text)
			}
		}
		return strings.Join(texts, "\n")
	}
	return ""
}

// System is the text of the ROLE_SYSTEM turns, joined by empty lines.
func (c *Call) System() string {
	var texts []string
	for _, turn := range c.Turns {
		for _, part := range turn.GetParts() {
			if turn.GetRole() == pb.Role_ROLE_SYSTEM && part.GetText() != "" {
				texts = append(texts, part.GetText())
			}
		}
	}
	return strings.Join(texts, "\n\n")
}

// Inputs are those of the user turns with this name, in order; the main ones without a name.
func (c *Call) Inputs(name string) []*Input {
	var found []*Input
	for _, input := range c.inputs {
		if input.Name == name {
			found = append(found, input)
		}
	}
	return found
}

// Input is the first of Inputs; an *Error when there is none.
func (c *Call) Input(name string) (*Input, error) {
	if found := c.Inputs(name); len(found) > 0 {
		return found[0], nil
	}
	if name == "" {
		return nil, Invalid("turns", "an input is missing")
	}
	return nil, Invalid("turns", "input %q is missing", name)
}

// OptionOf is an option by its path ("audio.speed", "extra.top"), durations in seconds: the caller's, else the default of
// its schema, else the zero value.
func OptionOf[T any](call *Call, path string) T {
	value := valueAt(call.values, path)
	if value == nil {
		value = call.entry.schema.declared[path]
	}
	found, _ := into[T](value)
	return found
}

// HasOption tells whether the caller set an option.
func (c *Call) HasOption(path string) bool { return valueAt(c.values, path) != nil }

// MediaType is the media type to make: the first offered one that the caller wants, else the first. Nothing offered = the
// model's OutputMediaTypes. An *Error when the caller wants others.
func (c *Call) MediaType(offered ...string) (string, error) {
	if len(offered) == 0 {
		offered = c.Model.OutputMediaTypes
	}
	if len(offered) == 0 {
		return "application/octet-stream", nil
	}
	wanted := c.Options.GetOutputMediaTypes()
	for _, offer := range offered {
		if len(wanted) == 0 || matchesAny(wanted, offer) {
			return offer, nil
		}
	}
	return "", Invalid("options.output_media_types",
		"%s cannot be made; there is %s", strings.Join(wanted, ", "), strings.Join(offered, ", "))
}

// Folder is a private folder for temporary files, removed when the call ends.
func (c *Call) Folder() (string, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.folder == "" {
		made, err := os.MkdirTemp("", "mediaconduit-call-")
		if err != nil {
			return "", err
		}
		c.folder = made
	}
	return c.folder, nil
}

func (c *Call) newFile() (*os.File, error) {
	folder, err := c.Folder()
	if err != nil {
		return nil, err
	}
	return os.CreateTemp(folder, "input-")
}

// mediaTypeFor is the media type of an output that the author began by plain text or bytes.
func (c *Call) mediaTypeFor(textual bool) (string, error) {
	if textual && c.Options.GetText().GetJsonSchema() != "" {
		return "application/json", nil
	}
	var offered []string
	for _, made := range c.Model.OutputMediaTypes {
		if isText(made) == textual {
			offered = append(offered, made)
		}
	}
	switch {
	case len(offered) > 0:
		return c.MediaType(offered...)
	case textual:
		return "text/plain", nil
	}
	return "application/octet-stream", nil
}

// gatherText puts text that arrives in chunks in its place among the turns.
func (c *Call) gatherText(ctx context.Context) error {
	for _, input := range c.inputs {
		if input.arriving == nil || !isText(input.MediaType) {
			continue
		}
		content, err := input.Bytes()
		if err != nil {
			return err
		}
		text := string(content)
		if wellFormed(text) != text {
			return Invalid(input.Field, "is not text in UTF-8")
		}
		input.part.Content = &pb.Part_Text{Text: text}
		input.arriving = nil
	}
	return ctx.Err()
}

func (c *Call) failInputs(err error) {
	for _, part := range c.arriving {
		part.fail(err)
	}
}

// release frees what the call held.
func (c *Call) release() {
	for _, part := range c.arriving {
		part.dispose()
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.folder != "" {
		_ = os.RemoveAll(c.folder)
	}
}

// own keeps a request that belongs to gRPC.
func own(request *pb.TransformRequest) *pb.TransformRequest {
	return proto.Clone(request).(*pb.TransformRequest)
}
