package provider

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

// Output is where Transform writes. The host opens, numbers and completes outputs, hashes data and ends the call. Every
// method waits while too much is on its way, and gives an error once the call is over: return it. Methods may be called
// from several goroutines.
type Output struct {
	ctx  context.Context
	call *Call
	box  *mailbox
	// began is told when the first output begins.
	began func()

	mutex     sync.Mutex
	open      []*Stream
	next      int32
	text      *Stream
	data      *Stream
	words     *Stream
	usage     *pb.Usage
	finishes  []*pb.Finish
	vendor    Facts
	lastWrite time.Time
}

// Facts are what a provider knows about how its output came to be.
type Facts struct{ VendorModel, VendorRequestID, VendorResponseID string }

// Spec describes an output that the author begins.
type Spec struct {
	MediaType string
	// Kind is text for "text/*" and JSON, data for all else, where unspecified.
	Kind pb.OutputKind
	// Name is Part.name where a model makes several kinds of output.
	Name      string
	Candidate int32
	// Role is ROLE_USER for a transcript of the caller.
	Role pb.Role
	// PreviewOf is the output that this one is an early look at.
	PreviewOf *Stream
	// ToolCall holds id and name of a tool call whose arguments come by Text.
	ToolCall *pb.ToolCall
}

func newOutput(ctx context.Context, call *Call, box *mailbox) *Output {
	return &Output{ctx: ctx, call: call, box: box, began: func() {}, lastWrite: time.Now()}
}

// Text appends to the current text output.
func (o *Output) Text(text string) error {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if text == "" {
		return context.Cause(o.ctx)
	}
	if o.text == nil {
		if err := o.beginOwn(&o.text, pb.OutputKind_OUTPUT_KIND_TEXT); err != nil {
			return err
		}
	}
	return o.text.feedText(text)
}

// Data appends to the current data output, whose media type is that of Call.MediaType.
func (o *Output) Data(data []byte) error {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if len(data) == 0 {
		return context.Cause(o.ctx)
	}
	if o.data == nil {
		if err := o.beginOwn(&o.data, pb.OutputKind_OUTPUT_KIND_DATA); err != nil {
			return err
		}
	}
	return o.data.feedData(data)
}

// Reasoning appends to the current reasoning output.
func (o *Output) Reasoning(text string) error {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if o.words == nil || o.words.kind != pb.OutputKind_OUTPUT_KIND_REASONING {
		var begun *Stream
		if err := o.beginOwn(&begun, pb.OutputKind_OUTPUT_KIND_REASONING); err != nil {
			return err
		}
	}
	return o.words.feedText(text)
}

// Read appends all of a reader to the current data output.
func (o *Output) Read(from io.Reader) error {
	buffer := make([]byte, chunkBytes)
	for {
		read, err := io.ReadFull(from, buffer)
		if failed := o.Data(buffer[:read]); failed != nil {
			return failed
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// Begin starts an output of its own, before any content.
func (o *Output) Begin(spec Spec) (*Stream, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	started := &pb.OutputStarted{
		Kind: spec.kind(), MediaType: spec.MediaType, Name: spec.Name, Candidate: spec.Candidate, Role: spec.Role,
		ToolCall: withoutArguments(spec.ToolCall),
	}
	if spec.PreviewOf != nil {
		started.PreviewOf = &spec.PreviewOf.index
	}
	return o.begin(started, false)
}

// Part writes an output that is whole: text and data, an asset, a tool call, a vector, scores, a transcript.
func (o *Output) Part(part *pb.Part) error {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	kind, known := kindOfPart(part)
	if !known {
		return errors.New("a Part without content, or one that announces a stream, cannot be an output")
	}
	if isWords(kind) {
		if err := o.endOwn(o.words); err != nil {
			return err
		}
	}
	started := &pb.OutputStarted{
		Kind: kind, MediaType: part.GetMediaType(), Name: part.GetName(),
		ToolCall: withoutArguments(part.GetToolCall()), CallId: part.GetToolResult().GetCallId(),
	}
	if started.MediaType == "" && (part.GetAsset() != nil || kind == pb.OutputKind_OUTPUT_KIND_TEXT) {
		started.MediaType = mediaTypeOf(part)
	}
	stream, err := o.begin(started, false)
	if err != nil {
		return err
	}
	switch content := part.GetContent().(type) {
	case *pb.Part_Text:
		err = stream.feedText(content.Text)
	case *pb.Part_ToolCall:
		err = stream.feedText(content.ToolCall.GetArguments())
	case *pb.Part_Data:
		err = stream.feedData(content.Data)
	default:
		stream.part = part
	}
	if err != nil {
		return err
	}
	return stream.complete(nil)
}

// Usage says what the call has consumed so far, in all.
func (o *Output) Usage(usage *pb.Usage) error {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.usage = proto.Clone(usage).(*pb.Usage)
	return o.emit(&pb.TransformEvent{Event: &pb.TransformEvent_Usage{Usage: o.usage}})
}

// Progress says how far the work is.
func (o *Output) Progress(progress *pb.Progress) error {
	return o.pass(&pb.TransformEvent{Event: &pb.TransformEvent_Progress{Progress: progress}})
}

// Notice says something the caller should know and need not act on; code is in UPPER_SNAKE.
func (o *Output) Notice(code, message string) error {
	notice := &pb.Notice{Code: code, Message: wellFormed(message)}
	return o.pass(&pb.TransformEvent{Event: &pb.TransformEvent_Notice{Notice: notice}})
}

// Checkpoint says that from here the work can be resumed by its token.
func (o *Output) Checkpoint(checkpoint *pb.Checkpoint) error {
	return o.pass(&pb.TransformEvent{Event: &pb.TransformEvent_Checkpoint{Checkpoint: checkpoint}})
}

// Finish says why a candidate ended; without one it was FINISH_REASON_STOP.
func (o *Output) Finish(finish *pb.Finish) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.finishes = append(o.finishes, finish)
}

// Facts adds to what the call's provenance says; empty ones change nothing.
func (o *Output) Facts(facts Facts) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	for _, pair := range []struct{ to, from *string }{
		{&o.vendor.VendorModel, &facts.VendorModel},
		{&o.vendor.VendorRequestID, &facts.VendorRequestID},
		{&o.vendor.VendorResponseID, &facts.VendorResponseID},
	} {
		if *pair.from != "" {
			*pair.to = *pair.from
		}
	}
}

// What follows runs with the mutex held.

func (o *Output) begin(started *pb.OutputStarted, implicit bool) (*Stream, error) {
	stream := &Stream{out: o, index: o.next, kind: started.GetKind(), implicit: implicit}
	if stream.kind == pb.OutputKind_OUTPUT_KIND_DATA {
		stream.hasher = sha256.New()
	}
	started.Index = stream.index
	o.next++
	o.open = append(o.open, stream)
	if stream.index == 0 {
		o.began()
	}
	return stream, o.emit(&pb.TransformEvent{Event: &pb.TransformEvent_OutputStarted{OutputStarted: started}})
}

// beginOwn begins an output because plain content came; of words only one is open at a time.
func (o *Output) beginOwn(place **Stream, kind pb.OutputKind) error {
	started := &pb.OutputStarted{Kind: kind}
	var err error
	if kind == pb.OutputKind_OUTPUT_KIND_TEXT || kind == pb.OutputKind_OUTPUT_KIND_DATA {
		if started.MediaType, err = o.call.mediaTypeFor(kind == pb.OutputKind_OUTPUT_KIND_TEXT); err != nil {
			return err
		}
	}
	if isWords(kind) {
		if err := o.endOwn(o.words); err != nil {
			return err
		}
	}
	stream, err := o.begin(started, true)
	*place = stream
	if isWords(kind) {
		o.words = stream
	}
	return err
}

// endOwn completes an output that the host began, because another follows.
func (o *Output) endOwn(stream *Stream) error {
	if stream == nil || !stream.implicit || !slices.Contains(o.open, stream) {
		return nil
	}
	return stream.complete(nil)
}

func (o *Output) pass(event *pb.TransformEvent) error {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.emit(event)
}

func (o *Output) emit(event *pb.TransformEvent) error {
	size := proto.Size(event)
	if size > eventLimit {
		return fmt.Errorf("what was written makes an event of %d bytes; at most %d fit a message", size, eventLimit)
	}
	return o.put(item{event: event}, size)
}

func (o *Output) put(added item, size int) error {
	err := o.box.put(o.ctx, added, size)
	o.lastWrite = time.Now()
	return err
}

// signOfLife writes progress when nothing was written for so long; false where the author is writing right now.
func (o *Output) signOfLife(silence time.Duration) {
	if !o.mutex.TryLock() {
		return
	}
	defer o.mutex.Unlock()
	if time.Since(o.lastWrite) >= silence {
		_ = o.emit(&pb.TransformEvent{Event: &pb.TransformEvent_Progress{Progress: &pb.Progress{Stage: "running"}}})
	}
}

// finish completes what is still open, and ends the call.
func (o *Output) finish(provenance func(Facts) *pb.Provenance) error {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	for len(o.open) > 0 {
		if err := o.open[0].complete(nil); err != nil {
			return err
		}
	}
	if len(o.finishes) == 0 {
		o.finishes = []*pb.Finish{{Reason: pb.FinishReason_FINISH_REASON_STOP}}
	}
	completed := &pb.Completed{Finishes: o.finishes, Usage: o.usage, Provenance: provenance(o.vendor)}
	return o.emit(&pb.TransformEvent{Event: &pb.TransformEvent_Completed{Completed: completed}})
}
