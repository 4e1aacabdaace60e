package provider

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

var capabilityPattern = regexp.MustCompile(
	`^(text|image|audio|video|3d)-to-(text|image|audio|video|3d|embedding|scores)$`)

// suggestions is how many near names an unknown one is answered with.
const suggestions = 3

// modelError is a model described in a way that cannot be: it ends the sidecar.
type modelError struct{ error }

// entry is a model and what the host works out about it.
type entry struct {
	name   string
	model  Model
	schema *optionsSchema
}

func newEntry(name string, model Model) (*entry, error) {
	for _, capability := range model.Capabilities {
		if !capabilityPattern.MatchString(capability) {
			return nil, fmt.Errorf("%q is not a capability like 'text-to-audio'", capability)
		}
	}
	if slices.Contains(model.Features, "live") {
		return nil, fmt.Errorf("the feature 'live' needs a host that holds conversations, which this one does not")
	}
	schema, err := newOptionsSchema(model)
	if err != nil {
		return nil, err
	}
	return &entry{name: name, model: model, schema: schema}, nil
}

func (e *entry) displayName() string {
	if e.model.DisplayName == "" {
		return e.model.ID
	}
	return e.model.DisplayName
}

// toProto is the model as the contract has it; the schema of its options only on demand.
func (e *entry) toProto(withSchema bool) *pb.Model {
	model := e.model
	made := &pb.Model{
		Name:             e.name,
		DisplayName:      e.displayName(),
		Description:      model.Description,
		Capabilities:     model.Capabilities,
		OutputMediaTypes: model.OutputMediaTypes,
		Pricing:          model.Pricing,
		ContextTokens:    model.ContextTokens,
		MaxOutputTokens:  model.MaxOutputTokens,
		Features:         model.Features,
		State:            model.State,
		CanonicalId:      model.CanonicalID,
	}
	for _, spec := range model.Inputs {
		made.Inputs = append(made.Inputs, &pb.InputSpec{
			Name: spec.Name, MediaTypes: spec.MediaTypes, Required: spec.Required, MaxBytes: spec.MaxBytes,
			MaxCount: int32(max(spec.MaxCount, 1)),
		})
	}
	if withSchema {
		made.OptionsSchema = e.schema.document
	}
	return made
}

// catalog asks the provider for its models and finds them by name.
type catalog struct {
	provider   Provider
	providerID string

	mutex   sync.Mutex
	listed  bool
	entries []*entry
	asked   time.Time
}

func newCatalog(provider Provider, id string) *catalog {
	return &catalog{provider: provider, providerID: id}
}

func (c *catalog) prefix() string { return "providers/" + c.providerID + "/models/" }

// list gives the models, from the cache unless fresh ones are wanted, and when they were asked for.
func (c *catalog) list(ctx context.Context, refresh bool) ([]*entry, time.Time, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.listed && !refresh {
		return c.entries, c.asked, nil
	}
	models, err := c.provider.Models(ctx)
	if err != nil {
		return nil, c.asked, err
	}
	entries := make([]*entry, 0, len(models))
	seen := map[string]bool{}
	for _, model := range models {
		if model.ID == "" || seen[model.ID] {
			return nil, c.asked, modelError{fmt.Errorf("model id %q is empty or there twice", model.ID)}
		}
		seen[model.ID] = true
		made, err := newEntry(c.prefix()+model.ID, model)
		if err != nil {
			return nil, c.asked, modelError{fmt.Errorf("model %q: %w", model.ID, err)}
		}
		entries = append(entries, made)
	}
	c.entries, c.listed, c.asked = entries, true, time.Now()
	return c.entries, c.asked, nil
}

// forget asks again the next time: what the provider has may depend on its settings.
func (c *catalog) forget() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.listed = false
}

// capabilities is everything any model known now can do.
func (c *catalog) capabilities() []string {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	found := []string{}
	for _, known := range c.entries {
		found = append(found, known.model.Capabilities...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// find gives the model of that name.
func (c *catalog) find(ctx context.Context, name string) (*entry, error) {
	if name == "" {
		return nil, Invalid("model", "no model is named").WithHint("name one like %s<model>", c.prefix())
	}
	entries, _, err := c.list(ctx, false)
	if err != nil {
		return nil, err
	}
	id, own := strings.CutPrefix(name, c.prefix())
	if !own {
		if strings.HasPrefix(name, "providers/") {
			return nil, Errorf(ModelNotFound, "%s is not a model of provider %s", name, c.providerID).
				WithHint("its models begin with %s", c.prefix()).With("model", name).With("suggestions", "")
		}
		id = strings.TrimPrefix(name, c.providerID+"/")
	}
	for _, known := range entries {
		if known.model.ID == id || known.model.ID == name {
			return known, nil
		}
	}
	return nil, c.unknown(name, id, entries)
}

// choose gives the model and the capability that a request means; no capability where it leaves several open.
func (c *catalog) choose(ctx context.Context, name, capability string) (*entry, error) {
	if name == "" && capability != "" {
		entries, _, err := c.list(ctx, false)
		if err != nil {
			return nil, err
		}
		var able []*entry
		for _, known := range entries {
			if slices.Contains(known.model.Capabilities, capability) {
				able = append(able, known)
			}
		}
		if len(able) == 1 {
			return able[0], nil
		}
	}
	found, err := c.find(ctx, name)
	if err != nil {
		return nil, err
	}
	available := found.model.Capabilities
	if capability != "" && !slices.Contains(available, capability) {
		return nil, Errorf(CapabilityUnsupported, "%s does not do %s", found.name, capability).
			WithHint("it does %s", strings.Join(available, ", ")).
			With("capability", capability).With("available", strings.Join(available, ","))
	}
	return found, nil
}

func (c *catalog) unknown(name, id string, entries []*entry) *Error {
	type near struct {
		name     string
		distance int
	}
	var candidates []near
	for _, known := range entries {
		distance := editDistance(id, known.model.ID)
		if distance <= max(len(id), len(known.model.ID))/2 {
			candidates = append(candidates, near{known.name, distance})
		}
	}
	slices.SortStableFunc(candidates, func(a, b near) int { return a.distance - b.distance })
	names := []string{}
	for _, candidate := range candidates[:min(len(candidates), suggestions)] {
		names = append(names, candidate.name)
	}
	failure := Errorf(ModelNotFound, "there is no model %s", name).WithHint("ListModels gives what there is")
	if len(names) > 0 {
		failure = failure.WithHint("did you mean %s?", strings.Join(names, " or "))
	}
	return failure.With("model", name).With("suggestions", strings.Join(names, ","))
}

// editDistance is how many single characters must be changed, added or taken out.
func editDistance(a, b string) int {
	from, to := []rune(a), []rune(b)
	row := make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := range from {
		diagonal := row[0]
		row[0] = i + 1
		for j := range to {
			cost := 1
			if from[i] == to[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(to)]
}
