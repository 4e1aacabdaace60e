package provider

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

// forTheHost are fields of TransformOptions that are no options of a model.
var forTheHost = []string{"lenient", "outputs_by_reference", "output_media_types"}

// optionsSchema is the options of one model.
type optionsSchema struct {
	document string
	declared map[string]any
	groups   map[string]bool
	checker  *checker
}

// newOptionsSchema fails for a path that no option has, and for a schema that is none.
func newOptionsSchema(model Model) (*optionsSchema, error) {
	s := &optionsSchema{declared: map[string]any{}, groups: map[string]bool{}}
	root := &group{}
	for _, option := range model.Options {
		if err := checkPath(option.Path); err != nil {
			return nil, err
		}
		var schema map[string]any
		if err := json.Unmarshal([]byte(option.Schema), &schema); err != nil {
			return nil, fmt.Errorf("the schema of option %q is not a JSON object: %w", option.Path, err)
		}
		s.declared[option.Path] = schema["default"]
		steps := strings.Split(option.Path, ".")
		for depth := 1; depth < len(steps); depth++ {
			s.groups[strings.Join(steps[:depth], ".")] = true
		}
		root.add(steps, option.Schema)
	}
	for path := range s.declared {
		if s.groups[path] {
			return nil, fmt.Errorf("option %q is declared whole and in parts", path)
		}
	}
	s.document = root.String()
	var err error
	s.checker, err = newChecker(s.document, false)
	return s, err
}

// check gives the options in force, the same as plain values, and notices of those that were dropped.
func (s *optionsSchema) check(options *pb.TransformOptions) (*pb.TransformOptions, map[string]any, []*pb.Notice, error) {
	if options == nil {
		options = &pb.TransformOptions{}
	}
	values := toPlain(options.ProtoReflect())
	for _, name := range forTheHost {
		delete(values, name)
	}
	if options.GetCandidates() == 1 {
		delete(values, "candidates")
	}
	unknown := s.unknown(values, "")
	slices.Sort(unknown)
	if len(unknown) > 0 && !options.GetLenient() {
		fields := make([]FieldViolation, len(unknown))
		for i, path := range unknown {
			fields[i] = FieldViolation{"options." + path, s.notHad()}
		}
		return nil, nil, nil, refusal(fields)
	}
	var notices []*pb.Notice
	if len(unknown) > 0 {
		options = proto.Clone(options).(*pb.TransformOptions)
	}
	for _, path := range unknown {
		clearOption(options.ProtoReflect(), strings.Split(path, "."))
		dropValue(values, strings.Split(path, "."))
		message := "the model does not have options." + path + "; it was dropped"
		notices = append(notices, &pb.Notice{Code: "OPTION_DROPPED", Message: message})
	}
	s.prune(values, "")
	if fields := s.checker.violations(values, "options"); len(fields) > 0 {
		return nil, nil, nil, refusal(fields)
	}
	return options, values, notices, nil
}

func (s *optionsSchema) unknown(values map[string]any, prefix string) []string {
	var found []string
	for name, value := range values {
		path := prefix + name
		if _, declared := s.declared[path]; declared {
			continue
		}
		inner, isGroup := value.(map[string]any)
		switch {
		case !s.groups[path]:
			found = append(found, leaves(value, path)...)
		case isGroup:
			found = append(found, s.unknown(inner, path+".")...)
		}
	}
	return found
}

// prune takes out groups that hold nothing: absent and empty are the same.
func (s *optionsSchema) prune(values map[string]any, prefix string) {
	for name, value := range values {
		inner, isGroup := value.(map[string]any)
		if _, declared := s.declared[prefix+name]; declared || !isGroup {
			continue
		}
		s.prune(inner, prefix+name+".")
		if len(inner) == 0 {
			delete(values, name)
		}
	}
}

func (s *optionsSchema) notHad() string {
	if len(s.declared) == 0 {
		return "the model has no options"
	}
	names := make([]string, 0, len(s.declared))
	for path := range s.declared {
		names = append(names, path)
	}
	slices.Sort(names)
	return "the model does not have this option; it has " + strings.Join(names, ", ")
}

func refusal(fields []FieldViolation) *Error {
	return invalid(fields).
		WithHint("GetModel gives the schema of the options; lenient drops options that a model does not have")
}

// leaves names what is in a group that the model knows nothing of, one level deep.
func leaves(value any, path string) []string {
	inner, isGroup := value.(map[string]any)
	if !isGroup || strings.Contains(path, ".") {
		return []string{path}
	}
	var found []string
	for name := range inner {
		found = append(found, path+"."+name)
	}
	return found
}

func checkPath(path string) error {
	steps := strings.Split(path, ".")
	if steps[0] == "extra" && len(steps) > 1 {
		return nil
	}
	descriptor := (&pb.TransformOptions{}).ProtoReflect().Descriptor()
	for _, step := range steps {
		var field protoreflect.FieldDescriptor
		if descriptor != nil {
			field = descriptor.Fields().ByName(protoreflect.Name(step))
		}
		if field == nil || slices.Contains(forTheHost, steps[0]) {
			return fmt.Errorf("there is no shared option %q; a model's own begin with 'extra.'", path)
		}
		descriptor = field.Message()
	}
	return nil
}

func clearOption(message protoreflect.Message, steps []string) {
	field := message.Descriptor().Fields().ByName(protoreflect.Name(steps[0]))
	if len(steps) == 1 {
		message.Clear(field)
		return
	}
	inner := message.Mutable(field).Message()
	held, isStruct := inner.Interface().(*structpb.Struct)
	if !isStruct {
		clearOption(inner, steps[1:])
		return
	}
	for _, step := range steps[1 : len(steps)-1] {
		held = held.GetFields()[step].GetStructValue()
	}
	delete(held.GetFields(), steps[len(steps)-1])
}

func dropValue(values map[string]any, steps []string) {
	for _, step := range steps[:len(steps)-1] {
		values, _ = values[step].(map[string]any)
	}
	delete(values, steps[len(steps)-1])
}

// valueAt is the value at a path; nil when absent.
func valueAt(values map[string]any, path string) any {
	steps := strings.Split(path, ".")
	for _, step := range steps[:len(steps)-1] {
		values, _ = values[step].(map[string]any)
	}
	return values[steps[len(steps)-1]]
}

// group is an object of a JSON Schema whose properties stay in the order they were declared in.
type group struct {
	names  []string
	leaf   map[string]string
	groups map[string]*group
}

func (g *group) add(steps []string, schema string) {
	if g.leaf == nil {
		g.leaf, g.groups = map[string]string{}, map[string]*group{}
	}
	name := steps[0]
	if !slices.Contains(g.names, name) {
		g.names = append(g.names, name)
	}
	if len(steps) == 1 {
		g.leaf[name] = schema
		return
	}
	if g.groups[name] == nil {
		g.groups[name] = &group{}
	}
	g.groups[name].add(steps[1:], schema)
}

// String is the schema as JSON text.
func (g *group) String() string {
	properties := make([]string, len(g.names))
	for i, name := range g.names {
		key, _ := json.Marshal(name)
		value, isLeaf := g.leaf[name]
		if !isLeaf {
			value = g.groups[name].String()
		}
		properties[i] = string(key) + ":" + value
	}
	return `{"type":"object","properties":{` + strings.Join(properties, ",") + `},"additionalProperties":false}`
}
