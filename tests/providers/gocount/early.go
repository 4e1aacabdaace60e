package main

import (
	"context"
	"time"

	mediaconduit "github.com/mediaconduit/mediaconduit/tests/providers/gocount/gen/mediaconduit/v1"
)

// farewell is how long before the caller's deadline a call ends: at the deadline itself gRPC resets the stream, and a
// caller whose clock is a little behind would hear of a cancellation.
const farewell = 50 * time.Millisecond

// early is a stream that ends a moment before its deadline, also while it waits for a message.
type early struct {
	mediaconduit.MediaProvider_TransformLiveServer
	ctx context.Context
}

func beforeDeadline(stream mediaconduit.MediaProvider_TransformLiveServer) (early, context.CancelFunc) {
	ctx := stream.Context()
	deadline, has := ctx.Deadline()
	if !has {
		return early{stream, ctx}, func() {}
	}
	ctx, stop := context.WithDeadline(ctx, deadline.Add(-min(farewell, time.Until(deadline)/4)))
	return early{stream, ctx}, stop
}

func (e early) Context() context.Context { return e.ctx }

func (e early) Recv() (*mediaconduit.TransformLiveRequest, error) {
	type received struct {
		piece *mediaconduit.TransformLiveRequest
		err   error
	}
	// Ends with the stream at the latest, which ends with the handler.
	got := make(chan received, 1)
	go func() {
		piece, err := e.MediaProvider_TransformLiveServer.Recv()
		got <- received{piece, err}
	}()
	select {
	case found := <-got:
		return found.piece, found.err
	case <-e.ctx.Done():
		return nil, e.ctx.Err()
	}
}
