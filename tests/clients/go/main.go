// Command client calls a MediaConduit server: it streams an answer, cancels another one, and reads a typed error.
//
//	client localhost:50051 cowsay/default "hello"
package main

//go:generate buf generate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	mediaconduit "github.com/mediaconduit/mediaconduit/tests/clients/go/gen/mediaconduit/v1"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: client TARGET MODEL TEXT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}

func run(target, model, text string) error {
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	provider := mediaconduit.NewMediaProviderClient(conn)

	// A deadline travels with the call, down to the model.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	if err := printAnswer(ctx, provider, model, text); err != nil {
		return fmt.Errorf("streaming: %w", err)
	}
	if err := cancelAnswer(ctx, provider, model, text); err != nil {
		return fmt.Errorf("cancelling: %w", err)
	}
	return provokeError(ctx, provider, model+"-unknown", text)
}

// ask is the input of every call here: one turn of one text.
func ask(model, text string) *mediaconduit.TransformRequest {
	part := &mediaconduit.Part{Content: &mediaconduit.Part_Text{Text: text}}
	return &mediaconduit.TransformRequest{
		Model: model,
		Turns: []*mediaconduit.Turn{{Role: mediaconduit.Role_ROLE_USER, Parts: []*mediaconduit.Part{part}}},
	}
}

// printAnswer prints the text as it comes. A response holds one or more events; the last one of a success is Completed.
func printAnswer(ctx context.Context, provider mediaconduit.MediaProviderClient, model, text string) error {
	request := ask(model, text)
	request.Options = &mediaconduit.TransformOptions{
		Text:    &mediaconduit.TextOptions{MaxOutputTokens: proto.Int32(64)},
		Lenient: true, // a model without this option answers all the same
	}
	call, err := provider.Transform(ctx, request)
	if err != nil {
		return err
	}
	var completed *mediaconduit.Completed
	events := 0
	for {
		response, err := call.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		for _, event := range response.Events {
			events++
			switch event := event.Event.(type) {
			case *mediaconduit.TransformEvent_OutputDelta:
				fmt.Print(event.OutputDelta.GetText())
			case *mediaconduit.TransformEvent_OutputCompleted:
				fmt.Print(event.OutputCompleted.GetPart().GetText()) // an output that was not streamed
			case *mediaconduit.TransformEvent_Completed:
				completed = event.Completed
			}
		}
	}
	if len(completed.GetFinishes()) == 0 {
		return errors.New("the answer has no end")
	}
	fmt.Printf("\ncompleted: %s %d events\n", completed.Finishes[0].Reason, events)
	return nil
}

// cancelAnswer cancels the call, and with it the model's work, once the output has begun.
func cancelAnswer(ctx context.Context, provider mediaconduit.MediaProviderClient, model, text string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	call, err := provider.Transform(ctx, ask(model, text))
	if err != nil {
		return err
	}
	events := 0
	for begun := false; !begun; {
		response, err := call.Recv()
		if err != nil {
			return err
		}
		events += len(response.Events)
		for _, event := range response.Events {
			begun = begun || event.GetOutputDelta() != nil
		}
	}
	cancel()
	for err == nil {
		_, err = call.Recv() // what was under way already
	}
	if status.Code(err) != codes.Canceled {
		return fmt.Errorf("expected CANCELLED, got: %w", err)
	}
	fmt.Printf("cancelled after %d events\n", events)
	return nil
}

// provokeError asks for a model that is not there.
func provokeError(ctx context.Context, provider mediaconduit.MediaProviderClient, model, text string) error {
	call, err := provider.Transform(ctx, ask(model, text))
	if err == nil {
		_, err = call.Recv()
	}
	if reason(err) != "MODEL_NOT_FOUND" {
		return fmt.Errorf("expected MODEL_NOT_FOUND, got: %v", err)
	}
	fmt.Println("error:", reason(err))
	return nil
}

// reason says why a call failed: the name of an ErrorReason, or "" when the error is not MediaConduit's.
func reason(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.Domain == "mediaconduit" {
			return info.Reason
		}
	}
	return ""
}
