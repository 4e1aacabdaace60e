package provider

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

// checkRequest refuses input that the model cannot take.
func checkRequest(request *pb.TransformRequest, model Model) error {
	resumes := len(request.GetTurns()) == 0 && len(request.GetResumeToken()) > 0
	if !resumes && !slices.ContainsFunc(request.GetTurns(), hasInput) {
		return Invalid("turns", "the input is empty").WithHint("send text, or a part with content")
	}
	if err := checkTurns(request.GetTurns(), model, request.GetOptions()); err != nil {
		return err
	}
	given := map[string]bool{}
	for _, turn := range request.GetTurns() {
		for _, part := range turn.GetParts() {
			given[part.GetName()] = given[part.GetName()] || isUser(turn)
		}
	}
	for _, spec := range model.Inputs {
		if spec.Required && spec.Name != "" && !given[spec.Name] && !resumes {
			return Invalid("turns", "input %q is missing", spec.Name).WithHint("add a part with the name %q", spec.Name)
		}
	}
	wanted, made := request.GetOptions().GetOutputMediaTypes(), model.OutputMediaTypes
	if len(wanted) == 0 || len(made) == 0 || slices.ContainsFunc(made, func(m string) bool { return matchesAny(wanted, m) }) {
		return nil
	}
	return Invalid("options.output_media_types",
		"%s cannot be made; allowed: %s", strings.Join(wanted, ", "), strings.Join(made, ", "))
}

func hasInput(turn *pb.Turn) bool {
	return turn.GetRole() != pb.Role_ROLE_SYSTEM && slices.ContainsFunc(turn.GetParts(), hasContent)
}

func isUser(turn *pb.Turn) bool {
	return turn.GetRole() == pb.Role_ROLE_UNSPECIFIED || turn.GetRole() == pb.Role_ROLE_USER
}

// isMedia tells a part that is input, not a tool's or the model's own.
func isMedia(part *pb.Part) bool {
	switch part.GetContent().(type) {
	case *pb.Part_Text, *pb.Part_Data, *pb.Part_Asset, *pb.Part_Stream:
		return true
	}
	return false
}

// checkTurns looks at names, media types, sizes and numbers of the parts of user turns.
func checkTurns(turns []*pb.Turn, model Model, options *pb.TransformOptions) error {
	samples, counts := samplesOf(options), map[string]int{}
	var found []FieldViolation
	for t, turn := range turns {
		if !isUser(turn) {
			continue
		}
		for p, part := range turn.GetParts() {
			if !isMedia(part) {
				continue
			}
			counts[part.GetName()]++
			spec := specFor(model, part.GetName(), samples)
			field := fmt.Sprintf("turns[%d].parts[%d]", t, p)
			if err := checkSize(part, field, spec, model); err != nil {
				return err
			}
			found = append(found, partViolations(part, field, spec, model, counts[part.GetName()])...)
		}
	}
	if len(found) > 0 {
		return invalid(found)
	}
	return nil
}

// specFor is what the model says about inputs of that name; nil when it knows none.
func specFor(model Model, name string, samples []string) *InputSpec {
	for i := range model.Inputs {
		if model.Inputs[i].Name == name {
			return &model.Inputs[i]
		}
	}
	if slices.Contains(samples, name) {
		return specFor(model, "voice", nil)
	}
	if name == "" {
		return &InputSpec{}
	}
	return nil
}

// samplesOf names inputs that hold samples of speakers: they are taken as "voice" is.
func samplesOf(options *pb.TransformOptions) []string {
	var found []string
	for _, speaker := range options.GetAudio().GetSpeakers() {
		if speaker.GetVoicePart() != "" {
			found = append(found, speaker.GetVoicePart())
		}
	}
	return found
}

func partViolations(part *pb.Part, field string, spec *InputSpec, model Model, count int) []FieldViolation {
	if spec == nil {
		return []FieldViolation{{field + ".name", fmt.Sprintf("the model takes no input %q; %s", part.GetName(), named(model))}}
	}
	var found []FieldViolation
	mediaType, most := mediaTypeOf(part), max(spec.MaxCount, 1)
	if len(spec.MediaTypes) > 0 && !matchesAny(spec.MediaTypes, mediaType) {
		allowed := strings.Join(spec.MediaTypes, ", ")
		found = append(found, FieldViolation{field + ".media_type", mediaType + " is not taken here; allowed: " + allowed})
	}
	if part.GetName() != "" && count > most {
		found = append(found, FieldViolation{field + ".name", fmt.Sprintf("at most %d inputs %q are taken", most, part.GetName())})
	}
	_, isPlain := part.GetContent().(*pb.Part_Text)
	if !hasContent(part) && (part.GetName() != "" || !isPlain) {
		found = append(found, FieldViolation{field, "is empty"})
	}
	if isText(mediaType) && !utf8.Valid(part.GetData()) {
		found = append(found, FieldViolation{field, "says it is " + mediaType + " but is not text in UTF-8"})
	}
	return found
}

func named(model Model) string {
	var names []string
	for _, spec := range model.Inputs {
		if spec.Name != "" {
			names = append(names, strconv.Quote(spec.Name))
		}
	}
	if len(names) == 0 {
		return "it takes no named inputs"
	}
	return "it takes " + strings.Join(names, ", ")
}

func checkSize(part *pb.Part, field string, spec *InputSpec, model Model) error {
	if spec == nil || spec.MaxBytes == 0 {
		return nil
	}
	size := int64(len(part.GetData()) + len(part.GetText()))
	if asset := part.GetAsset(); asset != nil {
		size = asset.GetSizeBytes()
	}
	if size > spec.MaxBytes {
		return tooLarge(size, spec.MaxBytes, "%s has %d bytes; %s takes at most %d", field, size, model.ID, spec.MaxBytes)
	}
	return nil
}

func tooLarge(actual, limit int64, format string, values ...any) *Error {
	return Errorf(InputTooLarge, format, values...).
		With("limit", strconv.FormatInt(limit, 10)).With("actual", strconv.FormatInt(actual, 10))
}

func hasContent(part *pb.Part) bool {
	switch content := part.GetContent().(type) {
	case nil:
		return false
	case *pb.Part_Text:
		return content.Text != ""
	case *pb.Part_Data:
		return len(content.Data) > 0
	}
	return true
}

// inferCapability is the capability meant where none was named: what suits the last user turn, else the model's first. An
// image with words about it is an image.
func inferCapability(model Model, turns []*pb.Turn) string {
	var kinds []string
	for _, turn := range slices.Backward(turns) {
		if !isUser(turn) {
			continue
		}
		for _, part := range turn.GetParts() {
			if part.GetName() == "" {
				kinds = append(kinds, kindOf(part))
			}
		}
		break
	}
	slices.SortStableFunc(kinds, func(a, b string) int { return rank(a) - rank(b) })
	for _, kind := range kinds {
		for _, capability := range model.Capabilities {
			if strings.HasPrefix(capability, kind+"-to-") {
				return capability
			}
		}
	}
	if len(model.Capabilities) == 0 {
		return ""
	}
	return model.Capabilities[0]
}

func rank(kind string) int {
	if kind == "text" {
		return 1
	}
	return 0
}

// kindOf is which kind of media a part is, as capabilities name it.
func kindOf(part *pb.Part) string {
	mediaType := mediaTypeOf(part)
	if _, plain := part.GetContent().(*pb.Part_Text); plain || isText(mediaType) {
		return "text"
	}
	kind, _, _ := strings.Cut(baseOf(mediaType), "/")
	if kind == "model" {
		return "3d"
	}
	return kind
}

// mediaTypeOf is what a part says it is.
func mediaTypeOf(part *pb.Part) string {
	switch {
	case part.GetMediaType() != "":
		return part.GetMediaType()
	case part.GetAsset() != nil:
		return part.GetAsset().GetMediaType()
	}
	if _, plain := part.GetContent().(*pb.Part_Text); plain {
		return "text/plain"
	}
	return "application/octet-stream"
}

// textOf is the text a part holds, also one sent as bytes of a text; empty when it holds none.
func textOf(part *pb.Part) string {
	if data := part.GetData(); data != nil && isText(part.GetMediaType()) {
		return wellFormed(string(data))
	}
	return part.GetText()
}
