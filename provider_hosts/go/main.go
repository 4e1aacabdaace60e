package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// Exit codes of a sidecar.
const (
	exitDrained  = 0
	exitUsage    = 64
	exitProvider = 70
)

// drainGrace is what running calls get when draining.
const drainGrace = 10 * time.Second

// Main serves a provider until SIGTERM, SIGINT or the end of the lifeline, and ends the process: with 0 when it was drained,
// 64 for a wrong environment, 70 when the provider could not be made or set up.
//
//	MEDIACONDUIT_LISTEN            "unix:/path" or "host:port"; default 127.0.0.1:50052
//	MEDIACONDUIT_PROVIDER          the id it is to have; default: Definition.ID
//	MEDIACONDUIT_PROVIDER_VERSION  version to report
//	MEDIACONDUIT_INSTANCE          nonce that Describe echoes
//	MEDIACONDUIT_LIFELINE          "stdin": exit at EOF of stdin
//	MEDIACONDUIT_TLS_CERTIFICATE   with _KEY and _PEER: files, for mutual TLS
//	MEDIACONDUIT_SECRETS           names, separated by commas, of the variables that the first Configure brings: the provider
//	                               is made after it, and calls fail while one of them is missing
func Main(definition Definition) {
	lifeline := os.Getenv("MEDIACONDUIT_LIFELINE")
	slog.SetDefault(slog.New(newLineHandler(os.Stderr, lifeline != "")))
	// Secrets come by Configure and stay in memory, which other sidecars of this user must not read.
	hideMemory()
	server, err := newSidecar(definition, os.Getenv)
	if err != nil {
		slog.Error("the environment is wrong", "error", err)
		os.Exit(exitUsage)
	}
	if lifeline != "" {
		leadGroup()
		server.watchLifeline(os.Stdin)
	}
	server.watchSignals()
	temporary := ownTemporaryFolder()
	server.last = func() {
		killChildren()
		_ = os.RemoveAll(temporary)
	}
	server.leave(server.run())
}

// Serve serves a provider until the context ends, within this process: for tests, and for programs that do more than that.
// getenv stands for the environment that Main reads; lifeline and signals are left alone.
func Serve(ctx context.Context, definition Definition, getenv func(string) string) error {
	server, err := newSidecar(definition, getenv)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, server.stopping.set)
	defer stop()
	if code := server.run(); code != exitDrained {
		return fmt.Errorf("the provider ended with exit code %d; its log says why", code)
	}
	return nil
}

// ownTemporaryFolder makes one folder for all temporary files of the process, so that they end with it.
func ownTemporaryFolder() string {
	made, err := os.MkdirTemp("", "mediaconduit-sidecar-")
	if err != nil {
		return ""
	}
	_ = os.Setenv("TMPDIR", made)
	return made
}

// sidecar is one process: its server, and what ends it.
type sidecar struct {
	*grpcServer
	stopping, hurry signalled
	last            func()
	leaving         sync.Once
}

// signalled is closed once.
type signalled struct {
	once sync.Once
	done chan struct{}
}

func newSignalled() signalled    { return signalled{done: make(chan struct{})} }
func (s *signalled) set()        { s.once.Do(func() { close(s.done) }) }
func (s *signalled) isSet() bool { return isClosed(s.done) }
func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func newSidecar(definition Definition, getenv func(string) string) (*sidecar, error) {
	if lifeline := getenv("MEDIACONDUIT_LIFELINE"); lifeline != "" && lifeline != "stdin" {
		return nil, errors.New("MEDIACONDUIT_LIFELINE may only be 'stdin'")
	}
	made, err := newGRPCServer(definition, getenv)
	if err != nil {
		return nil, err
	}
	return &sidecar{grpcServer: made, stopping: newSignalled(), hurry: newSignalled(), last: func() {}}, nil
}

// watchSignals drains at the first signal; at the second it does not wait for calls. Nobody waits for code that blocks.
func (s *sidecar) watchSignals() {
	asked := make(chan os.Signal, 2)
	signal.Notify(asked, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-asked
		s.stopping.set()
		time.AfterFunc(drainGrace+closeGrace+time.Second, func() { s.leave(exitDrained) })
		<-asked
		s.hurry.set()
	}()
}

// watchLifeline hurries at EOF, and ends the process when that takes too long: the broker is gone.
func (s *sidecar) watchLifeline(from io.Reader) {
	go func() {
		_, _ = io.Copy(io.Discard, from)
		time.AfterFunc(closeGrace, func() { s.leave(exitDrained) })
		s.hurry.set()
	}()
}

// leave ends the process with its children, whatever goroutines of authors still do.
func (s *sidecar) leave(code int) {
	s.leaving.Do(func() {
		s.last()
		os.Exit(code)
	})
	select {} // another goroutine is ending the process
}

// run serves until something ends it; gives the exit code.
func (s *sidecar) run() int {
	if len(s.host.secrets.names) > 0 {
		if err := s.listen(); err != nil {
			return failed(exitUsage, "cannot listen", err)
		}
		select {
		case given := <-s.service.first:
			if _, err := s.host.secrets.put(given); err != nil {
				return failed(exitProvider, "the secrets are not valid", err)
			}
		case <-s.stopping.done:
			return s.gone()
		case <-s.hurry.done:
			return s.gone()
		}
	}
	if err := s.host.construct(); err != nil {
		return failed(exitProvider, "the provider could not be made", err)
	}
	if len(s.host.secrets.names) == 0 {
		if err := s.listen(); err != nil {
			return failed(exitUsage, "cannot listen", err)
		}
	}
	return s.serve()
}

func failed(code int, what string, err error) int {
	slog.Error(what, "error", err)
	return code
}

func (s *sidecar) gone() int {
	s.stop()
	return exitDrained
}

func (s *sidecar) serve() int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	prepared := make(chan error, 1)
	go func() { prepared <- s.host.prepare(ctx) }()
	code, grace := exitDrained, drainGrace
	select {
	case err := <-prepared:
		if err != nil {
			code, grace = failed(exitProvider, "setup failed", err), 0
			break
		}
		s.ready(true)
		select {
		case <-s.stopping.done:
		case <-s.hurry.done:
		}
	case <-s.stopping.done:
	case <-s.hurry.done:
	}
	cancel()
	s.ready(false)
	if s.hurry.isSet() {
		grace = 0
	}
	s.host.finish(grace, s.hurry.done)
	s.stop()
	return code
}
