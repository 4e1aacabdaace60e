package provider

import (
	"context"
	"sync"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

// Weights and sizes of what is on its way to the caller.
const (
	chunkBytes = 256 << 10
	inFlight   = 64 << 10
	overhead   = 128
	// eventLimit leaves room in a message of 4 MiB for what is joined with it.
	eventLimit = 4<<20 - 512<<10
)

// item is what lies in a call's mailbox: more text or data of an output, or a whole event. Text and data stay apart until
// they are written, so that joining them costs one copy.
type item struct {
	index int32
	text  string
	data  []byte
	event *pb.TransformEvent
}

// mailbox stands between the author, who fills it, and the handler of the call, which writes everything that has come since
// in one message. An idle reader gets every piece at once, a busy one fewer, larger messages.
type mailbox struct {
	lock   sync.Mutex
	room   chan struct{}
	news   chan struct{}
	items  []item
	weight int
	closed bool
}

func newMailbox() *mailbox {
	return &mailbox{room: make(chan struct{}, 1), news: make(chan struct{}, 1)}
}

// put adds an item and waits while the box is full; the error is that of the context, which ended meanwhile.
func (m *mailbox) put(ctx context.Context, added item, size int) error {
	for {
		m.lock.Lock()
		if m.closed || m.weight < inFlight {
			break
		}
		m.lock.Unlock()
		select {
		case <-m.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	defer m.lock.Unlock()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if m.closed {
		return context.Canceled
	}
	m.items = append(m.items, added)
	m.weight += size + overhead
	wake(m.news)
	return nil
}

// close says that nothing more comes.
func (m *mailbox) close() {
	m.lock.Lock()
	m.closed = true
	m.lock.Unlock()
	wake(m.news)
	wake(m.room)
}

// take gives everything that came since, in order, and waits for it. Nothing = the end; false when the context ended before
// that.
func (m *mailbox) take(ctx context.Context) (taken []item, ended bool) {
	for {
		over := ctx.Err() != nil // before looking: whoever closes the box may end the context right after
		m.lock.Lock()
		taken, closed := m.items, m.closed
		m.items, m.weight = nil, 0
		m.lock.Unlock()
		switch {
		case len(taken) > 0:
			wake(m.room)
			return taken, false
		case closed:
			return nil, true
		case over:
			return nil, false
		}
		select {
		case <-m.news:
		case <-ctx.Done():
		}
	}
}

// wake lets whoever waits look again; one wake-up is remembered.
func wake(signal chan struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}
