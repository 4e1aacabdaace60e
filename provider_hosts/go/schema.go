package provider

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

const (
	schemaURL        = "mediaconduit:schema"
	descriptionLimit = 400
)

// checker checks values against one JSON Schema and tells mistakes as fields of a request.
type checker struct {
	schema *jsonschema.Schema
	// secret keeps values out of what is told.
	secret bool
}

// newChecker compiles a schema given as JSON text.
func newChecker(text string, secret bool) (*checker, error) {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("is not JSON: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource(schemaURL, document); err != nil {
		return nil, err
	}
	schema, err := compiler.Compile(schemaURL)
	if err != nil {
		return nil, err
	}
	return &checker{schema: schema, secret: secret}, nil
}

// violations lists every mistake, with its path below root and what is allowed there.
func (c *checker) violations(values map[string]any, root string) []FieldViolation {
	err := c.schema.Validate(values)
	if err == nil {
		return nil
	}
	failure, ok := err.(*jsonschema.ValidationError)
	if !ok {
		return []FieldViolation{{root, "cannot be checked"}}
	}
	var found []FieldViolation
	c.collect(failure, root, &found)
	slices.SortStableFunc(found, func(a, b FieldViolation) int { return strings.Compare(a.Field, b.Field) })
	return found
}

func (c *checker) collect(failure *jsonschema.ValidationError, root string, found *[]FieldViolation) {
	if len(failure.Causes) > 0 {
		for _, cause := range failure.Causes {
			c.collect(cause, root, found)
		}
		return
	}
	field := pathOf(root, failure.InstanceLocation)
	switch what := failure.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range what.Properties {
			*found = append(*found, FieldViolation{field + "." + name, "is not known here"})
		}
		return
	case *kind.Required:
		for _, name := range what.Missing {
			*found = append(*found, FieldViolation{field + "." + name, "is missing"})
		}
		return
	}
	description := "is not valid"
	if !c.secret {
		description = failure.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	}
	if allowed := allowedBy(c.schema, failure.SchemaURL); allowed != "" {
		description += "; allowed: " + allowed
	}
	*found = append(*found, FieldViolation{field, cut(description, descriptionLimit)})
}

// pathOf gives "options.audio.speakers[0].name".
func pathOf(root string, steps []string) string {
	path := root
	for _, step := range steps {
		if strings.Trim(step, "0123456789") == "" && step != "" {
			path += "[" + step + "]"
		} else {
			path += "." + step
		}
	}
	return path
}

// allowedBy says in words what the schema at an address allows; empty when there is nothing short to say.
func allowedBy(root *jsonschema.Schema, address string) string {
	_, pointer, _ := strings.Cut(address, "#")
	schema := root
	for _, step := range strings.Split(strings.Trim(pointer, "/"), "/") {
		if step == "properties" || step == "" {
			continue
		}
		next, isProperty := schema.Properties[unescape(step)]
		if !isProperty {
			return ""
		}
		schema = next
	}
	return describe(schema)
}

func unescape(step string) string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
}

func describe(schema *jsonschema.Schema) string {
	if schema.Enum != nil {
		values := make([]string, len(schema.Enum.Values))
		for i, value := range schema.Enum.Values {
			text, _ := json.Marshal(value)
			values[i] = string(text)
		}
		return "one of " + strings.Join(values, ", ")
	}
	var limits []string
	add := func(set bool, format string, value any) {
		if set {
			limits = append(limits, fmt.Sprintf(format, value))
		}
	}
	switch {
	case schema.Minimum != nil && schema.Maximum != nil:
		limits = append(limits, "from "+schema.Minimum.RatString()+" to "+schema.Maximum.RatString())
	case schema.Minimum != nil:
		limits = append(limits, "at least "+schema.Minimum.RatString())
	case schema.Maximum != nil:
		limits = append(limits, "at most "+schema.Maximum.RatString())
	}
	add(schema.MinLength != nil, "at least %d characters", deref(schema.MinLength))
	add(schema.MaxLength != nil, "at most %d characters", deref(schema.MaxLength))
	add(schema.MinItems != nil, "at least %d items", deref(schema.MinItems))
	add(schema.MaxItems != nil, "at most %d items", deref(schema.MaxItems))
	if schema.Pattern != nil {
		limits = append(limits, "matching "+schema.Pattern.String())
	}
	kinds := ""
	if schema.Types != nil {
		kinds = strings.Join(schema.Types.ToStrings(), " or ")
	}
	return strings.TrimSpace(kinds + " " + strings.Join(limits, ", "))
}

func deref(value *int) int {
	if value == nil {
		return 0
	}
	return *value
}
