package provider

import (
	"encoding/json"
	"math"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
)

// exact is up to where doubles hold every whole number.
const exact = 1 << 53

// toPlain gives the fields that are set, as JSON Schema sees them: under their names in the contract, durations in seconds,
// enums by name, whole numbers as integers.
func toPlain(message protoreflect.Message) map[string]any {
	found := map[string]any{}
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		name := string(field.Name())
		switch {
		case field.IsMap():
			inner := map[string]any{}
			value.Map().Range(func(key protoreflect.MapKey, item protoreflect.Value) bool {
				inner[key.String()] = plainValue(field.MapValue(), item)
				return true
			})
			found[name] = inner
		case field.IsList():
			list := value.List()
			items := make([]any, list.Len())
			for i := range items {
				items[i] = plainValue(field, list.Get(i))
			}
			found[name] = items
		default:
			found[name] = plainValue(field, value)
		}
		return true
	})
	return found
}

func plainValue(field protoreflect.FieldDescriptor, value protoreflect.Value) any {
	switch field.Kind() {
	case protoreflect.EnumKind:
		if known := field.Enum().Values().ByNumber(value.Enum()); known != nil {
			return string(known.Name())
		}
		return int64(value.Enum())
	case protoreflect.MessageKind:
		switch message := value.Message().Interface().(type) {
		case *durationpb.Duration:
			return number(message.AsDuration().Seconds())
		case *structpb.Struct:
			return structToPlain(message)
		}
		return toPlain(value.Message())
	}
	return value.Interface()
}

// structToPlain is a Struct as JSON values.
func structToPlain(from *structpb.Struct) map[string]any {
	found := map[string]any{}
	for name, value := range from.GetFields() {
		found[name] = valueToPlain(value)
	}
	return found
}

func valueToPlain(value *structpb.Value) any {
	switch kind := value.GetKind().(type) {
	case *structpb.Value_StructValue:
		return structToPlain(kind.StructValue)
	case *structpb.Value_ListValue:
		items := make([]any, len(kind.ListValue.GetValues()))
		for i, item := range kind.ListValue.GetValues() {
			items[i] = valueToPlain(item)
		}
		return items
	case *structpb.Value_NumberValue:
		return number(kind.NumberValue)
	case *structpb.Value_StringValue:
		return kind.StringValue
	case *structpb.Value_BoolValue:
		return kind.BoolValue
	}
	return nil
}

// number is an integer again where it is whole.
func number(value float64) any {
	if value == math.Trunc(value) && math.Abs(value) <= exact {
		return int64(value)
	}
	return value
}

// into converts a plain value to the type an author wants; false when it does not fit.
func into[T any](value any) (T, bool) {
	if same, ok := value.(T); ok {
		return same, true
	}
	var wanted T
	text, err := json.Marshal(value)
	if err != nil || json.Unmarshal(text, &wanted) != nil {
		return wanted, false
	}
	return wanted, true
}
