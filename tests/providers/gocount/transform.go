package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	mediaconduit "github.com/mediaconduit/mediaconduit/tests/providers/gocount/gen/mediaconduit/v1"
)

// Transform counts the words of a whole request.
func (p *provider) Transform(
	request *mediaconduit.TransformRequest, stream mediaconduit.MediaProvider_TransformServer,
) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	call, err := p.begin(request, stream)
	if err != nil {
		return err
	}
	return call.finish(stream.Context())
}

// TransformLive takes the same request with content that follows in chunks.
func (p *provider) TransformLive(whole mediaconduit.MediaProvider_TransformLiveServer) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	stream, stop := beforeDeadline(whole)
	defer stop()
	piece, err := stream.Recv()
	if err != nil || piece.GetStart() == nil {
		return invalid("start", "a live call begins with it")
	}
	call, err := p.begin(clone(piece.GetStart()), stream)
	if err != nil {
		return err
	}
	if err := call.collect(stream); err != nil {
		return err
	}
	return call.finish(stream.Context())
}

type sender interface {
	Send(*mediaconduit.TransformResponse) error
}

// call is one call under way.
type call struct {
	request  *mediaconduit.TransformRequest
	options  settled
	provider string
	stream   sender
	sequence int32
	began    time.Time
}

// begin checks the request and says that work has started, which tells the caller's library to send the rest.
func (p *provider) begin(request *mediaconduit.TransformRequest, stream sender) (*call, error) {
	if err := p.check(request); err != nil {
		return nil, err
	}
	options, err := settle(request.GetOptions())
	if err != nil {
		return nil, err
	}
	c := &call{request: request, options: options, provider: p.who.name(), stream: stream, began: time.Now()}
	if !c.waits() {
		if _, err := c.text(); err != nil {
			return nil, err
		}
	}
	events := []*mediaconduit.TransformEvent{{Event: &mediaconduit.TransformEvent_Started{
		Started: &mediaconduit.Started{Generation: "generations/" + randomID(), Model: p.who.model()},
	}}}
	for _, notice := range options.notices {
		events = append(events, &mediaconduit.TransformEvent{Event: &mediaconduit.TransformEvent_Notice{Notice: notice}})
	}
	return c, c.send(events...)
}

// waits tells whether content is still to come.
func (c *call) waits() bool {
	for _, turn := range c.request.GetTurns() {
		for _, part := range turn.GetParts() {
			if _, announced := part.GetContent().(*mediaconduit.Part_Stream); announced {
				return true
			}
		}
	}
	return false
}

// collect puts chunks where the request announced them, until all have ended.
func (c *call) collect(stream mediaconduit.MediaProvider_TransformLiveServer) error {
	open := map[int32]*mediaconduit.Part{}
	for _, turn := range c.request.GetTurns() {
		for _, part := range turn.GetParts() {
			if announced, ok := part.GetContent().(*mediaconduit.Part_Stream); ok {
				open[announced.Stream] = part
				part.Content = &mediaconduit.Part_Data{}
			}
		}
	}
	for len(open) > 0 {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return ended(stream.Context())
		}
		if err := take(piece, open); err != nil {
			return err
		}
	}
	return refuseMore(stream)
}

// take adds a chunk to its part.
func take(piece *mediaconduit.TransformLiveRequest, open map[int32]*mediaconduit.Part) error {
	if piece.GetRespond() != nil || piece.GetInterrupt() != nil {
		return nil // there is no conversation to go on or to break off
	}
	chunk := piece.GetChunk()
	if chunk == nil {
		return invalid("piece", "this model takes one input and has no conversations")
	}
	part, announced := open[chunk.GetStream()]
	if !announced {
		return invalid("chunk.stream", fmt.Sprintf("no part was announced as %d", chunk.GetStream()))
	}
	data := append(part.GetData(), chunk.GetData()...)
	if len(data) > maxInputBytes {
		return tooLarge("turns", fmt.Sprintf("the model takes %d bytes", maxInputBytes))
	}
	part.Content = &mediaconduit.Part_Data{Data: data}
	if chunk.GetLast() {
		delete(open, chunk.GetStream())
	}
	return nil
}

// refuseMore reads to the end of a request whose parts are complete: chunks of others were never announced.
func refuseMore(stream mediaconduit.MediaProvider_TransformLiveServer) error {
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return ended(stream.Context())
		}
		if err := take(piece, nil); err != nil {
			return err
		}
	}
}

// text is all that is to be counted.
func (c *call) text() (string, error) {
	var whole strings.Builder
	for number, turn := range c.request.GetTurns() {
		for place, part := range turn.GetParts() {
			field := fmt.Sprintf("turns[%d].parts[%d]", number, place)
			text, err := textOf(part, field)
			if err != nil {
				return "", err
			}
			whole.WriteString(text)
		}
	}
	switch {
	case whole.Len() == 0:
		return "", invalid("turns", "there is nothing to count")
	case whole.Len() > maxInputBytes:
		return "", tooLarge("turns", fmt.Sprintf("the model takes %d bytes", maxInputBytes))
	}
	return whole.String(), nil
}

func textOf(part *mediaconduit.Part, field string) (string, error) {
	if part.GetName() != "" {
		return "", invalid(field+".name", "the model has no named inputs")
	}
	kind, _, _ := strings.Cut(part.GetMediaType(), ";")
	if kind != "" && kind != "text/plain" {
		return "", invalid(field+".media_type", "the model takes text/plain")
	}
	switch content := part.GetContent().(type) {
	case *mediaconduit.Part_Text:
		return content.Text, nil
	case *mediaconduit.Part_Data:
		if !utf8.Valid(content.Data) {
			return "", invalid(field+".data", "is not UTF-8")
		}
		return string(content.Data), nil
	case nil:
		return "", nil
	}
	return "", invalid(field, "the model takes text")
}

// finish counts and sends the result.
func (c *call) finish(ctx context.Context) error {
	text, err := c.text()
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ended(ctx)
	}
	started := &mediaconduit.OutputStarted{Kind: mediaconduit.OutputKind_OUTPUT_KIND_TEXT, MediaType: outputType}
	delta := &mediaconduit.OutputDelta{Delta: &mediaconduit.OutputDelta_Text{Text: count(text, c.options.top)}}
	completed := &mediaconduit.Completed{
		Finishes: []*mediaconduit.Finish{{Reason: mediaconduit.FinishReason_FINISH_REASON_STOP}},
		Usage:    &mediaconduit.Usage{Units: map[string]int64{"input-character": int64(utf8.RuneCountInString(text))}},
		Provenance: &mediaconduit.Provenance{
			Provider:      c.provider,
			Capability:    capability,
			StartTime:     timestamppb.New(c.began),
			TotalDuration: durationpb.New(time.Since(c.began)),
		},
	}
	return c.send(
		&mediaconduit.TransformEvent{Event: &mediaconduit.TransformEvent_OutputStarted{OutputStarted: started}},
		&mediaconduit.TransformEvent{Event: &mediaconduit.TransformEvent_OutputDelta{OutputDelta: delta}},
		&mediaconduit.TransformEvent{Event: &mediaconduit.TransformEvent_OutputCompleted{
			OutputCompleted: &mediaconduit.OutputCompleted{},
		}},
		&mediaconduit.TransformEvent{Event: &mediaconduit.TransformEvent_Completed{Completed: completed}},
	)
}

func (c *call) send(events ...*mediaconduit.TransformEvent) error {
	for _, event := range events {
		c.sequence++
		event.Sequence = c.sequence
	}
	return c.stream.Send(&mediaconduit.TransformResponse{Events: events})
}

func randomID() string {
	bytes := make([]byte, 8)
	_, _ = rand.Read(bytes)
	return hex.EncodeToString(bytes)
}
