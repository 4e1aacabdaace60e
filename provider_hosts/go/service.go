package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

// modelsPage is how many models a page holds by default.
const modelsPage = 100

// service is mediaconduit.v1.MediaProvider, served by a host.
type service struct {
	pb.UnimplementedMediaProviderServer
	host *host
	// first takes what the first Configure brings, where the manifest names secrets.
	first chan map[string]string
}

// failed is the status of whatever went wrong; nothing but that leaves the process.
func (s *service) failed(where string, err error) error {
	if err == nil {
		return nil
	}
	failure := asError(err)
	if failure == nil {
		failure = logUnexpected(slog.Default(), where, err)
	}
	return statusOf(s.host.secrets.clean(failure))
}

func (s *service) constructed() bool {
	select {
	case <-s.host.made:
		return true
	default:
		return false
	}
}

// waiting refuses while the provider waits for its secrets.
func (s *service) waiting() error {
	if s.constructed() {
		return nil
	}
	return Errorf(ProviderNotReady, "the provider waits for its secrets").
		WithHint("its broker brings them with Configure").With("state", string(loading)).retryAfter(time.Second)
}

func (s *service) Describe(context.Context, *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	h := s.host
	described := &pb.DescribeResponse{
		ProviderId: h.providerID, Version: h.version, InstanceId: h.instance, ContractRevision: contractRevision,
	}
	if !s.constructed() {
		return described, nil
	}
	active, stuck := h.calls.counts()
	described.DisplayName = h.definition.displayName(h.providerID)
	described.Capabilities = h.catalog.capabilities()
	described.SettingsSchema = h.definition.settingsSchema()
	described.MaxConcurrency = int32(h.calls.limit)
	described.ActiveCalls, described.StuckCalls = int32(active), int32(stuck)
	described.Loading = h.loadingProgress()
	return described, nil
}

func (s *service) Configure(ctx context.Context, request *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	given := request.GetSecrets()
	if err := s.host.secrets.check(given); err != nil {
		return nil, s.failed("Configure", err)
	}
	if !s.constructed() {
		select {
		case s.first <- given:
		case <-s.host.made:
		case <-ctx.Done():
		}
	}
	var settings map[string]any
	if request.GetSettings() != nil {
		settings = structToPlain(request.GetSettings())
	}
	if err := s.host.configure(ctx, settings, given); err != nil {
		return nil, s.failed("Configure", err)
	}
	return &pb.ConfigureResponse{}, nil
}

func (s *service) usable() error {
	if err := s.waiting(); err != nil {
		return err
	}
	return s.host.checkReady()
}

func (s *service) ListModels(ctx context.Context, request *pb.ListModelsRequest) (*pb.ListModelsResponse, error) {
	if err := s.usable(); err != nil {
		return nil, s.failed("ListModels", err)
	}
	entries, asked, err := s.host.catalog.list(ctx, request.GetRefresh())
	if err != nil {
		return nil, s.failed("ListModels", err)
	}
	wanted := request.GetCapability()
	entries = slices.DeleteFunc(slices.Clone(entries), func(found *entry) bool {
		return wanted != "" && !slices.Contains(found.model.Capabilities, wanted)
	})
	first, err := firstOfPage(request.GetPageToken())
	if err != nil {
		return nil, s.failed("ListModels", err)
	}
	size := int(request.GetPageSize())
	if size <= 0 {
		size = modelsPage
	}
	page := &pb.ListModelsResponse{RefreshTime: timestamppb.New(asked)}
	for _, found := range entries[min(first, len(entries)):min(first+size, len(entries))] {
		page.Models = append(page.Models, found.toProto(false))
	}
	if first+size < len(entries) {
		page.NextPageToken = strconv.Itoa(first + size)
	}
	return page, nil
}

func firstOfPage(token string) (int, error) {
	if token == "" {
		return 0, nil
	}
	first, err := strconv.ParseUint(token, 10, 31)
	if err != nil {
		return 0, Invalid("page_token", "is not one that was given")
	}
	return int(first), nil
}

func (s *service) GetModel(ctx context.Context, request *pb.GetModelRequest) (*pb.GetModelResponse, error) {
	if err := s.usable(); err != nil {
		return nil, s.failed("GetModel", err)
	}
	found, err := s.host.catalog.find(ctx, request.GetName())
	if err != nil {
		return nil, s.failed("GetModel", err)
	}
	return &pb.GetModelResponse{Model: found.toProto(true)}, nil
}

// sender is what both kinds of call write to.
type sender interface {
	Context() context.Context
	Send(*pb.TransformResponse) error
}

// Transform transforms whole input.
func (s *service) Transform(request *pb.TransformRequest, stream pb.MediaProvider_TransformServer) error {
	started, err := s.begin(request, stream, false)
	if err != nil {
		return s.failed("Transform", err)
	}
	return s.writeAll(started, stream)
}

// TransformLive transforms input that arrives in pieces.
func (s *service) TransformLive(stream pb.MediaProvider_TransformLiveServer) error {
	piece, err := stream.Recv()
	if err != nil || piece.GetStart() == nil {
		return s.failed("TransformLive", Invalid("start", "must be the first piece"))
	}
	started, err := s.begin(piece.GetStart(), stream, true)
	if err != nil {
		return s.failed("TransformLive", err)
	}
	// Ends with the handler at the latest: what it reads from is gone then.
	go receive(started, stream)
	return s.writeAll(started, stream)
}

func (s *service) begin(request *pb.TransformRequest, stream sender, arrives bool) (*run, error) {
	if err := s.waiting(); err != nil {
		return nil, err
	}
	call, err := s.host.plan(stream.Context(), request, arrives)
	if err != nil {
		return nil, err
	}
	return s.host.start(stream.Context(), call)
}

// writeAll writes one message at a time. However it is left, the author's code is cancelled if it still runs.
func (s *service) writeAll(started *run, stream sender) error {
	pack := packer{}
	for {
		items, ended := started.box.take(started.ctx)
		if ended && started.failure == nil {
			return nil
		}
		if ended {
			return statusOf(started.failure)
		}
		if items == nil {
			return s.leave(started)
		}
		response := pack.pack(items)
		if len(response.GetEvents()) == 0 {
			continue
		}
		if err := stream.Send(response); err != nil {
			return s.leave(started)
		}
	}
}

// leave cancels a call whose caller has gone, or that was cancelled otherwise; its place is free when its code came back.
func (s *service) leave(left *run) error {
	var cause *Error
	if !errors.As(context.Cause(left.ctx), &cause) {
		cause = left.whyLeft()
	}
	left.cancel(cause)
	s.host.calls.cancelled(left)
	return statusOf(s.host.secrets.clean(cause))
}

// receive feeds a call until its caller half-closes. A piece that is wrong ends the call with that error.
func receive(started *run, stream pb.MediaProvider_TransformLiveServer) {
	for {
		piece, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			err = endAll(started.call)
		case err != nil:
			started.call.failInputs(started.whyLeft())
			return
		default:
			if err = take(started.call, piece); err == nil {
				continue
			}
		}
		if err != nil {
			failure := asError(err)
			if failure == nil {
				failure = logUnexpected(started.call.Log, "TransformLive", err)
			}
			started.cancel(failure)
		}
		return
	}
}

func take(call *Call, piece *pb.TransformLiveRequest) error {
	switch kind := piece.GetPiece().(type) {
	case nil:
		return Invalid("piece", "is empty or of a later revision of the contract")
	case *pb.TransformLiveRequest_Start:
		return Invalid("start", "may only be the first piece")
	case *pb.TransformLiveRequest_Chunk:
		return takeChunk(call, kind.Chunk)
	}
	return Invalid("piece", "%s holds no conversations", call.entry.name).WithHint("use a model with the feature 'live'")
}

func takeChunk(call *Call, chunk *pb.InputChunk) error {
	part := call.arriving[chunk.GetStream()]
	if part == nil {
		return Invalid("chunk.stream", "no part announced stream %d", chunk.GetStream())
	}
	size, done := part.state()
	if done {
		return Invalid("chunk.stream", "stream %d has ended", chunk.GetStream())
	}
	limit := int64(0)
	if spec := specFor(call.Model, part.name, samplesOf(call.Options)); spec != nil {
		limit = spec.MaxBytes
	}
	if isText(part.mediaType) && (limit == 0 || limit > textLimit) {
		limit = textLimit
	}
	if size += int64(len(chunk.GetData())); limit > 0 && size > limit {
		return tooLarge(size, limit, "%s is larger than the %d bytes that are taken here", part.field, limit)
	}
	if err := part.feed(chunk.GetData()); err != nil {
		return fmt.Errorf("keeping the input: %w", err)
	}
	if chunk.GetLast() {
		return endInput(part)
	}
	return nil
}

func endInput(part *arriving) error {
	if size, done := part.state(); !done && size == 0 {
		return Invalid(part.field, "is empty")
	}
	part.end()
	return nil
}

func endAll(call *Call) error {
	for _, part := range call.arriving {
		if err := endInput(part); err != nil {
			return err
		}
	}
	return nil
}

// WatchGenerations streams records of calls as they end.
func (s *service) WatchGenerations(
	request *pb.WatchGenerationsRequest, stream pb.MediaProvider_WatchGenerationsServer,
) error {
	position := s.host.generations.after(request.GetAfter())
	for {
		records, next, err := s.host.generations.next(stream.Context(), position)
		if err != nil {
			return s.failed("WatchGenerations", err)
		}
		if err := stream.Send(&pb.WatchGenerationsResponse{Generations: records}); err != nil {
			return err
		}
		position = next
	}
}
