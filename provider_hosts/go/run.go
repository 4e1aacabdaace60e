package provider

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

const (
	// heartbeat is the longest silence of a call.
	heartbeat = 15 * time.Second
	// deadlineSlack is by how much the caller's clock may be ahead: who leaves so close to its deadline was driven by it.
	deadlineSlack = 200 * time.Millisecond
	// farewellSlack is what telling the caller about its deadline may take.
	farewellSlack = 50 * time.Millisecond
)

// run is one call under way: the author's code fills a mailbox, the handler of the call empties it.
type run struct {
	call   *Call
	out    *Output
	box    *mailbox
	ctx    context.Context
	stop   context.CancelCauseFunc
	late   context.CancelFunc
	clean  func(*Error) *Error
	silent time.Duration

	began       time.Time
	firstOutput time.Duration
	// left is told when the author's code has come back.
	left func(*run)
	// failure is how it failed; set once the mailbox is closed.
	failure *Error
}

func newRun(ctx context.Context, call *Call, clean func(*Error) *Error, silent time.Duration) *run {
	r := &run{call: call, box: newMailbox(), clean: clean, silent: silent, began: time.Now(), left: func(*run) {}}
	ctx, r.late = beforeDeadline(ctx)
	r.ctx, r.stop = context.WithCancelCause(ctx)
	r.out = newOutput(r.ctx, call, r.box)
	r.out.began = func() { r.firstOutput = time.Since(r.began) }
	return r
}

// beforeDeadline ends a moment before the caller's deadline: at the deadline itself gRPC resets the stream, and the caller
// would not hear why.
func beforeDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, has := ctx.Deadline()
	if !has {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline.Add(-min(farewellSlack, time.Until(deadline)/4)))
}

// cancel ends the work; the call fails with the cause.
func (r *run) cancel(cause *Error) {
	r.stop(cause)
	r.call.failInputs(cause)
}

// main runs the author's code to its end, whatever that is. What the call held is free before its caller hears of the end.
func (r *run) main(provider Provider) {
	defer r.late()
	defer r.stop(nil)
	go r.beat()
	err := r.work(provider)
	if err == nil {
		err = r.out.finish(r.provenance)
	}
	r.call.release()
	if err != nil {
		r.failure = r.clean(r.classify(err))
	}
	r.left(r)
	r.box.close()
}

// beat shows that the call lives when the author is silent for long; it ends with the call.
func (r *run) beat() {
	ticker := time.NewTicker(r.silent / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.out.signOfLife(r.silent - r.silent/3)
		case <-r.ctx.Done():
			return
		}
	}
}

func (r *run) work(provider Provider) (err error) {
	defer recovered("the call", &err)
	started := &pb.Started{Generation: r.call.Generation, Model: r.call.entry.name}
	if err := r.out.pass(&pb.TransformEvent{Event: &pb.TransformEvent_Started{Started: started}}); err != nil {
		return err
	}
	for _, notice := range r.call.notices {
		if err := r.out.Notice(notice.GetCode(), notice.GetMessage()); err != nil {
			return err
		}
	}
	if err := r.call.gatherText(r.ctx); err != nil {
		return err
	}
	return provider.Transform(r.ctx, r.call, r.out)
}

// classify says how the call failed. An end of its context that nobody outside asked for is the author's own.
func (r *run) classify(err error) *Error {
	if r.ctx.Err() != nil {
		var cause *Error
		if errors.As(context.Cause(r.ctx), &cause) {
			return cause
		}
		return r.whyLeft()
	}
	var failure *Error
	if errors.As(err, &failure) {
		return failure
	}
	return logUnexpected(r.call.Log, "the call", err)
}

// whyLeft is why the caller is not there any more.
func (r *run) whyLeft() *Error {
	deadline, has := r.ctx.Deadline()
	if has && time.Until(deadline) < deadlineSlack {
		return asError(context.DeadlineExceeded)
	}
	return asError(context.Canceled)
}

// logUnexpected writes what nobody foresaw to the log and gives what may leave the process.
func logUnexpected(log *slog.Logger, where string, err error) *Error {
	failure := unexpected()
	log.Error(where+" failed", "error_id", failure.Metadata["error_id"], "error", err)
	return failure
}

func (r *run) provenance(vendor Facts) *pb.Provenance {
	name := r.call.entry.name
	made := &pb.Provenance{
		Provider:          name[:len(name)-len("/models/")-len(r.call.Model.ID)],
		Source:            r.call.facts.source,
		VendorModel:       vendor.VendorModel,
		VendorRequestId:   vendor.VendorRequestID,
		VendorResponseId:  vendor.VendorResponseID,
		StartTime:         timestamppb.New(r.began),
		QueueDuration:     durationpb.New(r.call.facts.queue),
		TotalDuration:     durationpb.New(time.Since(r.began)),
		ParentGenerations: r.call.parents,
		ModelDisplayName:  r.call.entry.displayName(),
		Capability:        r.call.Capability,
	}
	if r.firstOutput > 0 {
		made.FirstOutputDuration = durationpb.New(r.firstOutput)
	}
	return made
}

// record is what is kept of the call once it has ended.
func (r *run) record() *pb.Generation {
	r.out.mutex.Lock()
	defer r.out.mutex.Unlock()
	record := &pb.Generation{
		Name: r.call.Generation, Model: r.call.entry.name, Capability: r.call.Capability, Labels: r.call.Labels,
		Usage: r.out.usage, Provenance: r.provenance(r.out.vendor), Caller: r.call.Caller, EndTime: timestamppb.Now(),
	}
	if r.failure != nil {
		record.Error = toStatus(r.failure)
	} else {
		record.Finishes = r.out.finishes
	}
	return record
}
