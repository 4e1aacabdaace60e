package provider

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"

	"crypto/rand"
	"fmt"
	"strconv"
)

// stuckAfter is when a cancelled call that still runs counts as stuck.
const stuckAfter = 2 * time.Second

// calls counts what runs. Each call holds its place until its code has come back, cancelled ones too.
type calls struct {
	limit int

	mutex   sync.Mutex
	running map[*run]bool // true = stuck
	idle    chan struct{}
}

func newCalls(limit int) *calls {
	idle := make(chan struct{})
	close(idle)
	return &calls{limit: limit, running: map[*run]bool{}, idle: idle}
}

// enter gives the call a place, or says that all are taken.
func (c *calls) enter(entering *run) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.limit > 0 && len(c.running) >= c.limit {
		stuck := strconv.Itoa(c.stuck())
		return Errorf(Overloaded, "all %d places of this provider are taken", c.limit).
			WithHint("try again later, or raise the provider's MaxConcurrency").
			With("limit", strconv.Itoa(c.limit)).With("stuck", stuck).retryAfter(time.Second)
	}
	if len(c.running) == 0 {
		c.idle = make(chan struct{})
	}
	c.running[entering] = false
	return nil
}

// leave gives the place back.
func (c *calls) leave(leaving *run) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	delete(c.running, leaving)
	if len(c.running) == 0 {
		close(c.idle)
	}
}

// cancelled begins the time after which the call counts as stuck.
func (c *calls) cancelled(call *run) {
	time.AfterFunc(stuckAfter, func() {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		if _, runs := c.running[call]; runs {
			c.running[call] = true
		}
	})
}

func (c *calls) stuck() int {
	count := 0
	for _, stuck := range c.running {
		if stuck {
			count++
		}
	}
	return count
}

// counts is how many calls hold a place, and how many of them are stuck.
func (c *calls) counts() (active, stuck int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return len(c.running), c.stuck()
}

// drained is closed when none is running.
func (c *calls) drained() <-chan struct{} {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.idle
}

// cancelAll cancels every call.
func (c *calls) cancelAll(cause *Error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for call := range c.running {
		call.cancel(cause)
	}
}

// callFacts are what only the broker and the transport know of a call.
type callFacts struct {
	generation, source, caller string
	queue                      time.Duration
}

// factsOf reads a call's metadata.
func factsOf(ctx context.Context, requestID string) callFacts {
	found, _ := metadata.FromIncomingContext(ctx)
	one := func(key string) string {
		if values := found.Get(key); len(values) > 0 {
			return values[0]
		}
		return ""
	}
	queue, _ := strconv.ParseUint(one("x-mediaconduit-queue-ms"), 10, 31)
	facts := callFacts{
		generation: one("x-mediaconduit-generation"),
		source:     one("x-mediaconduit-source"),
		caller:     one("x-mediaconduit-caller"),
		queue:      time.Duration(queue) * time.Millisecond,
	}
	if facts.generation == "" {
		if requestID == "" {
			requestID = newUUID()
		}
		facts.generation = "generations/" + requestID
	}
	return facts
}

func newUUID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
