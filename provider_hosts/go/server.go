package provider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

const (
	messageBytes = 4<<20 + 64<<10
	// readAheadBytes is the flow-control window of a stream.
	readAheadBytes = 256 << 10
	// farewell is how long connections stay open for callers to read how their calls ended.
	farewell      = 100 * time.Millisecond
	defaultListen = "127.0.0.1:50052"
	transformPath = "/mediaconduit.v1.MediaProvider/Transform"
)

// grpcServer serves the contract, health and reflection on one address.
type grpcServer struct {
	host    *host
	service *service
	address string
	server  *grpc.Server
	health  *health.Server
	serving sync.WaitGroup
	// open counts calls whose end is still to be told.
	open sync.WaitGroup
}

func newGRPCServer(definition Definition, getenv func(string) string) (*grpcServer, error) {
	names, err := secretNames(getenv("MEDIACONDUIT_SECRETS"))
	if err != nil {
		return nil, err
	}
	tls, err := mutualTLS(getenv)
	if err != nil {
		return nil, err
	}
	id := orElse(getenv("MEDIACONDUIT_PROVIDER"), definition.ID)
	if id == "" || definition.New == nil {
		return nil, errors.New("Definition.ID and Definition.New must be set")
	}
	version, instance := getenv("MEDIACONDUIT_PROVIDER_VERSION"), getenv("MEDIACONDUIT_INSTANCE")
	host, err := newHost(definition, id, version, instance, newSecrets(names))
	if err != nil {
		return nil, err
	}
	made := &grpcServer{
		host:    host,
		service: &service{host: host, first: make(chan map[string]string)},
		address: orElse(getenv("MEDIACONDUIT_LISTEN"), defaultListen),
		health:  health.NewServer(),
	}
	options := []grpc.ServerOption{
		grpc.MaxRecvMsgSize(messageBytes), grpc.MaxSendMsgSize(messageBytes), grpc.InitialWindowSize(readAheadBytes),
		grpc.UnaryInterceptor(guardUnary), grpc.StreamInterceptor(made.guardStream),
	}
	if tls != nil {
		options = append(options, grpc.Creds(tls))
	}
	made.server = grpc.NewServer(options...)
	made.ready(false)
	pb.RegisterMediaProviderServer(made.server, made.service)
	healthpb.RegisterHealthServer(made.server, made.health)
	reflection.Register(made.server)
	return made, nil
}

// listen takes the address and answers from then on.
func (g *grpcServer) listen() error {
	listener, err := listen(g.address)
	if err != nil {
		return err
	}
	g.serve(listener)
	return nil
}

func (g *grpcServer) serve(listener net.Listener) {
	g.serving.Go(func() {
		if err := g.server.Serve(listener); err != nil {
			slog.Error("serving ended", "error", err)
		}
	})
}

// ready says by health whether calls are taken.
func (g *grpcServer) ready(serving bool) {
	status := healthpb.HealthCheckResponse_NOT_SERVING
	if serving {
		status = healthpb.HealthCheckResponse_SERVING
	}
	g.health.SetServingStatus(pb.MediaProvider_ServiceDesc.ServiceName, status)
}

// stop closes the address and every connection, once calls that have ended could say so.
func (g *grpcServer) stop() {
	told := make(chan struct{})
	go func() {
		g.open.Wait()
		close(told)
	}()
	select {
	case <-told:
	case <-time.After(closeGrace):
	}
	stopping := time.AfterFunc(farewell, g.server.Stop)
	defer stopping.Stop()
	g.server.GracefulStop()
	g.serving.Wait()
}

func (g *grpcServer) guardStream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	if strings.HasPrefix(info.FullMethod, transformPath) {
		g.open.Add(1)
		defer g.open.Done()
	}
	defer guard(info.FullMethod, &err)
	return handler(srv, stream)
}

func guardUnary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (answer any, err error) {
	defer guard(info.FullMethod, &err)
	return handler(ctx, request)
}

// guard makes a panic an INTERNAL with an error id.
func guard(where string, err *error) {
	if panicked := recover(); panicked != nil {
		wrong := fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
		*err = statusOf(logUnexpected(slog.Default(), where, wrong))
	}
}

func orElse(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
