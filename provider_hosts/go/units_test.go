package provider

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

func texts(response *pb.TransformResponse) []string {
	var found []string
	for _, event := range response.GetEvents() {
		if delta := event.GetOutputDelta(); delta != nil {
			found = append(found, delta.GetText()+string(delta.GetData()))
		}
	}
	return found
}

func TestNeighboursOfOneOutputAreJoinedAndOthersAreNot(t *testing.T) {
	pack := packer{}
	response := pack.pack([]item{{index: 0, text: "a"}, {index: 0, text: "b"}, {index: 1, text: "c"}, {index: 0, text: "d"}})
	if got := strings.Join(texts(response), "|"); got != "ab|c|d" {
		t.Errorf("got %q", got)
	}
	if last := response.GetEvents()[2].GetSequence(); last != 3 {
		t.Errorf("the third event has number %d", last)
	}
}

func TestACharacterThatComesInHalvesLeavesWhole(t *testing.T) {
	pack, euro := packer{}, "€"
	first := pack.pack([]item{{text: "1" + euro[:1]}})
	second := pack.pack([]item{{text: euro[1:] + "!"}})
	if got := strings.Join(append(texts(first), texts(second)...), "|"); got != "1|€!" {
		t.Errorf("got %q", got)
	}
}

func TestAHalfCharacterAtTheEndOfAnOutputIsReplaced(t *testing.T) {
	pack := packer{}
	pack.pack([]item{{text: "\xe2\x82"}})
	completed := &pb.TransformEvent{Event: &pb.TransformEvent_OutputCompleted{OutputCompleted: &pb.OutputCompleted{}}}
	response := pack.pack([]item{{event: completed}})
	if got := strings.Join(texts(response), ""); got != "\uFFFD" || response.GetEvents()[1].GetOutputCompleted() == nil {
		t.Errorf("got %q in %v", got, response)
	}
}

func TestDataIsJoinedUpToTheSizeOfAChunk(t *testing.T) {
	pack, half := packer{}, make([]byte, chunkBytes/2)
	response := pack.pack([]item{{data: half}, {data: half}, {data: half}})
	if sizes := texts(response); len(sizes) != 2 || len(sizes[0]) != chunkBytes || len(sizes[1]) != chunkBytes/2 {
		t.Errorf("%d pieces", len(sizes))
	}
}

func TestWhoWritesAheadOfAReaderWaits(t *testing.T) {
	box := newMailbox()
	ctx, cancel := context.WithCancel(t.Context())
	for range inFlight/(1024+overhead) + 1 {
		if err := box.put(ctx, item{text: "x"}, 1024); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := box.put(ctx, item{text: "x"}, 1024); !errors.Is(err, context.Canceled) {
		t.Errorf("a full box took more: %v", err)
	}
	if taken, _ := box.take(t.Context()); len(taken) != inFlight/(1024+overhead)+1 {
		t.Errorf("took %d items", len(taken))
	}
	if err := box.put(t.Context(), item{text: "x"}, 1024); err != nil {
		t.Error(err)
	}
}

func TestSilenceIsBrokenOnceInAWhile(t *testing.T) {
	box := newMailbox()
	out := newOutput(t.Context(), nil, box)
	out.signOfLife(time.Hour)
	out.lastWrite = time.Now().Add(-2 * time.Hour)
	out.signOfLife(time.Hour)
	out.signOfLife(time.Hour)
	taken, _ := box.take(t.Context())
	if len(taken) != 1 || taken[0].event.GetProgress().GetStage() != "running" {
		t.Errorf("got %v", taken)
	}
}

func TestTextIsCutBetweenCharacters(t *testing.T) {
	whole := strings.Repeat("€", 100)
	found := pieces(whole, 32)
	for _, piece := range found {
		if len(piece) > 32 || !utf8.ValidString(piece) {
			t.Errorf("a piece of %d bytes: %q", len(piece), piece)
		}
	}
	if strings.Join(found, "") != whole {
		t.Error("something was lost")
	}
}

func TestEveryReasonIsOneOfTheContractAndHasItsCode(t *testing.T) {
	text, err := os.ReadFile("../../protos/mediaconduit/v1/errors.proto")
	if err != nil {
		t.Skip("the contract is not beside this module")
	}
	for reason, code := range codeOf {
		if _, known := pb.ErrorReason_value["ERROR_REASON_"+string(reason)]; !known {
			t.Errorf("%s is not in the contract", reason)
		}
		comment := commentOf(string(text), "ERROR_REASON_"+string(reason)+" =")
		if !strings.HasPrefix(comment, "// "+nameOf(code)) {
			t.Errorf("%s comes with %s here, and the contract says %q", reason, nameOf(code), comment)
		}
	}
}

// commentOf is the comment above the line that begins so.
func commentOf(text, begins string) string {
	comment := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, begins):
			return comment
		case strings.HasPrefix(line, "//"):
			comment += line
		default:
			comment = ""
		}
	}
	return ""
}

func nameOf(code codes.Code) string {
	var name strings.Builder
	for _, letter := range strings.ReplaceAll(code.String(), "Canceled", "Cancelled") {
		if letter >= 'A' && letter <= 'Z' && name.Len() > 0 {
			name.WriteByte('_')
		}
		name.WriteString(strings.ToUpper(string(letter)))
	}
	return name.String()
}

func TestDetailsStayUnderTheirLimit(t *testing.T) {
	failure := Errorf(InputInvalid, "%s", strings.Repeat("€", 2000)).With("model", strings.Repeat("x", 9000))
	for range 100 {
		failure.Fields = append(failure.Fields, FieldViolation{"turns[0]", strings.Repeat("y", 100)})
	}
	packed := toStatus(failure)
	if size := proto.Size(packed); size > detailsLimit {
		t.Errorf("%d bytes", size)
	}
	if !utf8.ValidString(packed.GetMessage()) || len(packed.GetDetails()) == 0 {
		t.Errorf("message %q, %d details", packed.GetMessage(), len(packed.GetDetails()))
	}
}

var picky = Model{ID: "picky", Options: []Option{
	{Path: "text.temperature", Schema: `{"type":"number","minimum":0,"maximum":2}`},
	{Path: "extra.zeta", Schema: `{"type":"integer","minimum":1,"default":7}`},
	{Path: "extra.alpha", Schema: `{"enum":["a","b"]}`},
}}

func pickyOptions(t *testing.T) *optionsSchema {
	t.Helper()
	schema, err := newOptionsSchema(picky)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestOptionsStayInTheOrderTheyWereDeclaredIn(t *testing.T) {
	document := pickyOptions(t).document
	if strings.Index(document, "zeta") > strings.Index(document, "alpha") {
		t.Error(document)
	}
}

func TestOptionsOutOfRangeAreRefusedByNameWithWhatIsAllowed(t *testing.T) {
	extra, _ := structpb.NewStruct(map[string]any{"zeta": 0, "alpha": "c", "beta": true})
	_, _, _, err := pickyOptions(t).check(&pb.TransformOptions{Extra: extra, Lenient: true})
	failure := asError(err)
	if failure == nil || len(failure.Fields) != 2 {
		t.Fatalf("got %v", err)
	}
	if failure.Fields[0].Field != "options.extra.alpha" || !strings.Contains(failure.Fields[0].Description, `one of "a", "b"`) {
		t.Errorf("got %v", failure.Fields[0])
	}
	if failure.Fields[1].Field != "options.extra.zeta" || !strings.Contains(failure.Fields[1].Description, "at least 1") {
		t.Errorf("got %v", failure.Fields[1])
	}
}

func TestALenientCallLosesWhatTheModelLacks(t *testing.T) {
	extra, _ := structpb.NewStruct(map[string]any{"zeta": 3, "beta": true})
	sent := &pb.TransformOptions{Extra: extra, Seed: proto.Int64(1), Lenient: true}
	kept, values, notices, err := pickyOptions(t).check(sent)
	if err != nil {
		t.Fatal(err)
	}
	if len(notices) != 2 || kept.Seed != nil || len(kept.GetExtra().GetFields()) != 1 || valueAt(values, "extra.zeta") != int64(3) {
		t.Errorf("kept %v, notices %v", kept, notices)
	}
	if sent.Seed == nil {
		t.Error("the request itself was changed")
	}
}

func TestASharedOptionThatIsNoneIsTheAuthorsMistake(t *testing.T) {
	for _, path := range []string{"text.heat", "lenient", "speed"} {
		if _, err := newOptionsSchema(Model{Options: []Option{{Path: path, Schema: `{}`}}}); err == nil {
			t.Errorf("%s was taken", path)
		}
	}
}

func TestRefusedSettingsDoNotStandInTheRefusal(t *testing.T) {
	checks, err := newChecker(`{"type":"object","properties":{"key":{"type":"string","pattern":"^k-"}}}`, true)
	if err != nil {
		t.Fatal(err)
	}
	fields := checks.violations(map[string]any{"key": "hush-hush"}, "settings")
	if len(fields) != 1 || fields[0].Field != "settings.key" || strings.Contains(fields[0].Description, "hush") {
		t.Errorf("got %v", fields)
	}
}

func TestMediaTypesFitPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, mediaType string
		fits               bool
	}{
		{"image/*", "image/png", true}, {"*/*", "text/plain", true}, {"image/*", "audio/wav", false},
		{"audio/L16; rate=24000", "audio/l16;rate=24000;channels=1", true},
		{"audio/L16; rate=24000", "audio/L16; rate=16000", false}, {"text/plain", "text/plain; charset=utf-8", true},
	} {
		if matches(c.pattern, c.mediaType) != c.fits {
			t.Errorf("%s and %s: not %v", c.pattern, c.mediaType, c.fits)
		}
	}
}

func TestSecretsAreTakenOutOfErrors(t *testing.T) {
	keys := newSecrets([]string{"UNIT_TEST_KEY"})
	if err := keys.require(); asError(err).Reason != CredentialsMissing {
		t.Errorf("got %v", err)
	}
	if _, err := keys.put(map[string]string{"UNIT_TEST_KEY": "hush-hush"}); err != nil {
		t.Fatal(err)
	}
	cleaned := keys.clean(Errorf(CredentialsRejected, "the key hush-hush is refused").With("why", "hush-hush"))
	if strings.Contains(cleaned.Error()+cleaned.Metadata["why"], "hush") {
		t.Error(cleaned)
	}
	if _, err := keys.put(nil); err != nil || os.Getenv("UNIT_TEST_KEY") != "" {
		t.Error("what was left out is still there")
	}
}
