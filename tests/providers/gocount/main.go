// Command gocount is a MediaConduit provider that counts words.
//
// It takes its address and its identity from the environment, as every sidecar does, and ends with 0 when it was told to,
// with 64 when its environment is wrong.
package main

//go:generate buf generate

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	mediaconduit "github.com/mediaconduit/mediaconduit/tests/providers/gocount/gen/mediaconduit/v1"
)

const (
	wrongEnvironment = 64
	// How long connections may stay open once the last call has ended: a health watch never ends by itself.
	goodbye = time.Second
	// Content over 1 MiB comes in chunks, so no message needs more.
	maxMessageBytes = 16 << 20
)

func main() {
	listener, err := listen(os.Getenv("MEDIACONDUIT_LISTEN"))
	if err != nil {
		logf(3, "MEDIACONDUIT_LISTEN: %v", err)
		os.Exit(wrongEnvironment)
	}
	provider := newProvider(identity{
		id:       orElse(os.Getenv("MEDIACONDUIT_PROVIDER"), "gocount"),
		version:  os.Getenv("MEDIACONDUIT_PROVIDER_VERSION"),
		instance: os.Getenv("MEDIACONDUIT_INSTANCE"),
	})
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessageBytes))
	mediaconduit.RegisterMediaProviderServer(server, provider)
	ready := health.NewServer()
	service := mediaconduit.MediaProvider_ServiceDesc.ServiceName
	ready.SetServingStatus(service, healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(server, ready)
	reflection.Register(server)

	if os.Getenv("MEDIACONDUIT_LIFELINE") == "stdin" {
		go endWithStdin(server)
	}
	drained := make(chan struct{})
	go func() {
		drain(provider, ready, service, server)
		close(drained)
	}()
	logf(6, "serving as %s", provider.who.id)
	if err := server.Serve(listener); err != nil {
		logf(3, "serving: %v", err)
		os.Exit(1)
	}
	<-drained
}

// drain waits for SIGTERM, then for the calls under way, and stops the server.
func drain(provider *provider, ready *health.Server, service string, server *grpc.Server) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGINT)
	<-asked
	logf(6, "draining")
	ready.SetServingStatus(service, healthpb.HealthCheckResponse_NOT_SERVING)
	provider.drain()
	time.AfterFunc(goodbye, server.Stop)
	server.GracefulStop()
}

// endWithStdin ends the process at once when the broker, which holds the other end, is gone.
func endWithStdin(server *grpc.Server) {
	_, _ = io.Copy(io.Discard, os.Stdin)
	time.AfterFunc(goodbye, func() { os.Exit(0) })
	server.Stop()
	os.Exit(0)
}

// listen takes "unix:/path" or "host:port".
func listen(address string) (net.Listener, error) {
	if address == "" {
		return nil, fmt.Errorf("is not set")
	}
	if path, isUnix := strings.CutPrefix(address, "unix:"); isUnix {
		return net.Listen("unix", path)
	}
	return net.Listen("tcp", address)
}

// logf writes one line to stderr, with its level the way sd-daemon has it: 3 error, 4 warning, 6 info.
func logf(level int, format string, values ...any) {
	prefix := ""
	if os.Getenv("MEDIACONDUIT_LIFELINE") != "" {
		prefix = fmt.Sprintf("<%d>", level)
	}
	fmt.Fprintln(os.Stderr, prefix+fmt.Sprintf(format, values...))
}

func orElse(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
