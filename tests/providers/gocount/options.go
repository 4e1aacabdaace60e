package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	mediaconduit "github.com/mediaconduit/mediaconduit/tests/providers/gocount/gen/mediaconduit/v1"
)

const (
	defaultTop = 3
	maxTop     = 20
)

// settled is what the options come to: values in force, and notices of what was dropped.
type settled struct {
	top     int
	notices []*mediaconduit.Notice
}

// forTheHost are fields of TransformOptions that are no options of a model.
var forTheHost = []string{"lenient", "outputs_by_reference", "output_media_types"}

// settle checks the options. Those the model lacks are refused, or dropped with a notice where the caller is lenient.
func settle(options *mediaconduit.TransformOptions) (settled, error) {
	found := settled{top: defaultTop}
	if wanted := options.GetOutputMediaTypes(); len(wanted) > 0 && !slices.ContainsFunc(wanted, makes) {
		return found, invalid("options.output_media_types", "the model makes "+outputType)
	}
	for _, path := range set(options.ProtoReflect(), "") {
		if path == "candidates" && options.GetCandidates() == 1 {
			continue
		}
		if path == "extra.top" {
			top, err := wholeNumber(options.GetExtra().GetFields()["top"])
			if err != nil {
				return found, invalid("options.extra.top", err.Error())
			}
			found.top = top
			continue
		}
		if !options.GetLenient() {
			return found, invalid("options."+path, "the model does not have this option; it has extra.top")
		}
		message := "options." + path + " was dropped: the model does not have it"
		found.notices = append(found.notices, &mediaconduit.Notice{Code: "option-dropped", Message: message})
	}
	return found, nil
}

// set lists the paths of all options that have a value.
func set(message protoreflect.Message, prefix string) []string {
	paths := []string{}
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		name := string(field.Name())
		switch {
		case prefix == "" && slices.Contains(forTheHost, name):
		case field.Message() == nil || field.IsList() || field.IsMap():
			paths = append(paths, prefix+name)
		case field.Message().FullName() == proto.MessageName(&structpb.Struct{}):
			for key := range value.Message().Interface().(*structpb.Struct).GetFields() {
				paths = append(paths, prefix+name+"."+key)
			}
		case strings.HasPrefix(string(field.Message().FullName()), "google.protobuf."):
			paths = append(paths, prefix+name)
		default:
			paths = append(paths, set(value.Message(), prefix+name+".")...)
		}
		return true
	})
	slices.Sort(paths)
	return paths
}

func wholeNumber(value *structpb.Value) (int, error) {
	number, isNumber := value.GetKind().(*structpb.Value_NumberValue)
	if !isNumber || number.NumberValue != math.Trunc(number.NumberValue) {
		return 0, fmt.Errorf("is not a whole number")
	}
	if number.NumberValue < 1 || number.NumberValue > maxTop {
		return 0, fmt.Errorf("is not between 1 and %d", maxTop)
	}
	return int(number.NumberValue), nil
}

// makes tells whether a media type, or a range of them, is what the model makes.
func makes(wanted string) bool {
	return wanted == outputType || wanted == "application/*" || wanted == "*/*"
}
