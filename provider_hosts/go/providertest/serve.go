// Package providertest runs a provider for its tests: a real server on a Unix socket, called over the wire.
package providertest

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
	provider "github.com/mediaconduit/mediaconduit/provider_hosts/go"
)

// Served is a provider that runs until its test has ended.
type Served struct {
	pb.MediaProviderClient
	Conn *grpc.ClientConn
	id   string
}

// Result is all that came of a call that succeeded.
type Result struct {
	Events []*pb.TransformEvent
	// Text is that of all outputs, Data their bytes.
	Text string
	Data []byte
	// MediaType is that of the first output.
	MediaType string
	Completed *pb.Completed
}

// Failure is how a call failed.
type Failure struct {
	Status *status.Status
	// Reason is that of its ErrorInfo; empty where there is none.
	Reason string
	// Fields are those found wrong.
	Fields []string
}

// Error is the message of the status.
func (f *Failure) Error() string {
	return f.Status.Code().String() + "/" + f.Reason + ": " + f.Status.Message()
}

// Serve starts a provider and waits until it takes calls. Settings may be nil.
func Serve(t testing.TB, definition provider.Definition, settings map[string]any) *Served {
	t.Helper()
	// Not t.TempDir: the path of a socket must be short.
	folder, err := os.MkdirTemp("", "mc-")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	address := "unix:" + filepath.Join(folder, "s")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- provider.Serve(ctx, definition, func(name string) string {
			if name == "MEDIACONDUIT_LISTEN" {
				return address
			}
			return ""
		})
	}()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	t.Cleanup(func() {
		_ = conn.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the provider ended with: %v", err)
		}
	})
	waitUntilReady(t, conn)
	served := &Served{MediaProviderClient: pb.NewMediaProviderClient(conn), Conn: conn, id: definition.ID}
	if settings != nil {
		values, err := structpb.NewStruct(settings)
		must(t, err)
		_, err = served.Configure(t.Context(), &pb.ConfigureRequest{Settings: values})
		must(t, err)
	}
	return served
}

func waitUntilReady(t testing.TB, conn *grpc.ClientConn) {
	t.Helper()
	name := pb.MediaProvider_ServiceDesc.ServiceName
	watch, err := healthpb.NewHealthClient(conn).
		Watch(t.Context(), &healthpb.HealthCheckRequest{Service: name}, grpc.WaitForReady(true))
	must(t, err)
	for {
		answer, err := watch.Recv()
		must(t, err)
		if answer.GetStatus() == healthpb.HealthCheckResponse_SERVING {
			return
		}
	}
}

// Text is a request with one text.
func (s *Served) Text(model, text string) *pb.TransformRequest {
	return s.Request(model, &pb.Part{Content: &pb.Part_Text{Text: text}})
}

// Request is a request with one turn of these parts; model is the id alone.
func (s *Served) Request(model string, parts ...*pb.Part) *pb.TransformRequest {
	return &pb.TransformRequest{
		Model: "providers/" + s.id + "/models/" + model,
		Turns: []*pb.Turn{{Role: pb.Role_ROLE_USER, Parts: parts}},
	}
}

// Do makes a call and reads it to its end; the error is a *Failure.
func (s *Served) Do(ctx context.Context, request *pb.TransformRequest) (*Result, error) {
	stream, err := s.Transform(ctx, request)
	if err != nil {
		return nil, failure(err)
	}
	return Collect(stream)
}

// Collect reads a call to its end; the error is a *Failure.
func Collect(stream interface {
	Recv() (*pb.TransformResponse, error)
}) (*Result, error) {
	result := &Result{}
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return result, nil
		}
		if err != nil {
			return result, failure(err)
		}
		for _, event := range response.GetEvents() {
			result.add(event)
		}
	}
}

func (r *Result) add(event *pb.TransformEvent) {
	r.Events = append(r.Events, event)
	r.Text += event.GetOutputDelta().GetText()
	r.Data = append(r.Data, event.GetOutputDelta().GetData()...)
	if started := event.GetOutputStarted(); started != nil && r.MediaType == "" {
		r.MediaType = started.GetMediaType()
	}
	if event.GetCompleted() != nil {
		r.Completed = event.GetCompleted()
	}
}

func failure(err error) *Failure {
	found := &Failure{Status: status.Convert(err)}
	for _, detail := range found.Status.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			found.Reason = detail.GetReason()
		case *errdetails.BadRequest:
			for _, violation := range detail.GetFieldViolations() {
				found.Fields = append(found.Fields, violation.GetField())
			}
		}
	}
	return found
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
