package provider_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
	provider "github.com/mediaconduit/mediaconduit/provider_hosts/go"
	"github.com/mediaconduit/mediaconduit/provider_hosts/go/providertest"
)

// scripted does what a test tells it to.
type scripted struct {
	do func(context.Context, *provider.Call, *provider.Output) error
}

func (scripted) Models(context.Context) ([]provider.Model, error) {
	return []provider.Model{{ID: "default", Capabilities: []string{"text-to-text", "image-to-image"}}}, nil
}

func (s scripted) Transform(ctx context.Context, call *provider.Call, out *provider.Output) error {
	return s.do(ctx, call, out)
}

func serve(t *testing.T, do func(context.Context, *provider.Call, *provider.Output) error) *providertest.Served {
	t.Helper()
	return providertest.Serve(t, provider.Definition{
		ID: "scripted", New: func() (provider.Provider, error) { return scripted{do}, nil },
	}, nil)
}

func failureOf(t *testing.T, err error) *providertest.Failure {
	t.Helper()
	var failure *providertest.Failure
	if !errors.As(err, &failure) {
		t.Fatalf("got %v", err)
	}
	return failure
}

func TestAPanicLeavesNothingButAnErrorId(t *testing.T) {
	served := serve(t, func(context.Context, *provider.Call, *provider.Output) error { panic("hush-hush") })
	_, err := served.Do(t.Context(), served.Text("default", "x"))
	failure := failureOf(t, err)
	if failure.Reason != "INTERNAL" || strings.Contains(failure.Status.String(), "hush") {
		t.Errorf("got %v", failure)
	}
}

func TestAnErrorOfTheAuthorsOwnContextIsNotTheCallersDoing(t *testing.T) {
	served := serve(t, func(context.Context, *provider.Call, *provider.Output) error { return context.DeadlineExceeded })
	_, err := served.Do(t.Context(), served.Text("default", "x"))
	if failure := failureOf(t, err); failure.Reason != "INTERNAL" {
		t.Errorf("got %v", failure)
	}
}

func TestWordsFollowEachOtherAndDataRunsBeside(t *testing.T) {
	served := serve(t, func(_ context.Context, _ *provider.Call, out *provider.Output) error {
		return errors.Join(
			out.Reasoning("hm"), out.Text("a"), out.Data([]byte{1}), out.Text("b"),
			out.Part(&pb.Part{Content: &pb.Part_ToolCall{ToolCall: &pb.ToolCall{Id: "1", Name: "f", Arguments: "{}"}}}),
			out.Text("c"), out.Data([]byte{2}),
		)
	})
	result, err := served.Do(t.Context(), served.Text("default", "x"))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, event := range result.Events {
		if started := event.GetOutputStarted(); started != nil {
			kinds = append(kinds, strings.TrimPrefix(started.GetKind().String(), "OUTPUT_KIND_"))
		}
	}
	if got := strings.Join(kinds, " "); got != "REASONING TEXT DATA TOOL_CALL TEXT" {
		t.Errorf("got %s", got)
	}
	if string(result.Data) != "\x01\x02" {
		t.Errorf("data %v", result.Data)
	}
}

func TestAnInputIsReadAsItArrives(t *testing.T) {
	served := serve(t, func(_ context.Context, call *provider.Call, out *provider.Output) error {
		input, err := call.Input("")
		if err != nil {
			return err
		}
		content, err := input.Open()
		if err != nil {
			return err
		}
		one := make([]byte, 4)
		for {
			read, err := content.Read(one)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := out.Data(one[:read]); err != nil {
				return err
			}
		}
	})
	stream, err := served.TransformLive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	start := served.Request("default", &pb.Part{MediaType: "image/png", Content: &pb.Part_Stream{Stream: 3}})
	send(t, stream, &pb.TransformLiveRequest{Piece: &pb.TransformLiveRequest_Start{Start: start}})
	for _, text := range []string{"one", "two"} {
		chunk := &pb.InputChunk{Stream: 3, Data: []byte(text), Last: text == "two"}
		send(t, stream, &pb.TransformLiveRequest{Piece: &pb.TransformLiveRequest_Chunk{Chunk: chunk}})
		for got := ""; got != text; {
			response, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			for _, event := range response.GetEvents() {
				got += string(event.GetOutputDelta().GetData())
			}
		}
	}
	if _, err := providertest.Collect(stream); err != nil {
		t.Error(err)
	}
}

func send(t *testing.T, stream pb.MediaProvider_TransformLiveClient, piece *pb.TransformLiveRequest) {
	t.Helper()
	if err := stream.Send(piece); err != nil {
		t.Fatal(err)
	}
}

func TestALargeInputGoesToAFileAndCanBeReadTwice(t *testing.T) {
	const size = 3 << 20
	served := serve(t, func(_ context.Context, call *provider.Call, out *provider.Output) error {
		input, _ := call.Input("")
		first, err := input.Bytes()
		if err != nil {
			return err
		}
		again, err := input.Open()
		if err != nil {
			return err
		}
		if len(first) != size {
			return provider.Errorf(provider.InputInvalid, "%d bytes", len(first))
		}
		return out.Read(again)
	})
	stream, err := served.TransformLive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	start := served.Request("default", &pb.Part{MediaType: "image/png", Content: &pb.Part_Stream{Stream: 1}})
	send(t, stream, &pb.TransformLiveRequest{Piece: &pb.TransformLiveRequest_Start{Start: start}})
	for range size >> 18 {
		chunk := &pb.InputChunk{Stream: 1, Data: make([]byte, 1<<18)}
		send(t, stream, &pb.TransformLiveRequest{Piece: &pb.TransformLiveRequest_Chunk{Chunk: chunk}})
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if result, err := providertest.Collect(stream); err != nil || len(result.Data) != size {
		t.Errorf("%d bytes came back, %v", len(result.Data), err)
	}
}

func TestALeftCallIsRecordedAndFreesItsPlace(t *testing.T) {
	left := make(chan struct{})
	served := serve(t, func(ctx context.Context, _ *provider.Call, out *provider.Output) error {
		if err := out.Usage(&pb.Usage{Units: map[string]int64{"request": 1}}); err != nil {
			return err
		}
		<-ctx.Done()
		close(left)
		return ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := served.Transform(ctx, served.Text("default", "x"))
	if err != nil {
		t.Fatal(err)
	}
	for used := int64(0); used == 0; {
		response, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range response.GetEvents() {
			used += event.GetUsage().GetUnits()["request"]
		}
	}
	cancel()
	<-left
	watch, err := served.WatchGenerations(t.Context(), &pb.WatchGenerationsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	records, err := watch.Recv()
	if err != nil {
		t.Fatal(err)
	}
	record := records.GetGenerations()[0]
	if record.GetUsage().GetUnits()["request"] != 1 || record.GetError().GetCode() != 1 {
		t.Errorf("got %v", record)
	}
	described, err := served.Describe(t.Context(), &pb.DescribeRequest{})
	if err != nil || described.GetActiveCalls() != 0 {
		t.Errorf("got %v, %v", described, err)
	}
}
