package main

import (
	"context"
	"errors"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

const domain = "mediaconduit"

// retryAfter is when a caller that found no place may try again.
const retryAfter = 500 * time.Millisecond

// failure is an error as the contract wants it: a code, one ErrorInfo with a reason of its list, and what else helps.
func failure(code codes.Code, reason, message string, details ...protoadapt.MessageV1) error {
	info := &errdetails.ErrorInfo{Domain: domain, Reason: reason}
	whole, err := status.New(code, message).WithDetails(append([]protoadapt.MessageV1{info}, details...)...)
	if err != nil {
		return status.Error(code, message)
	}
	return whole.Err()
}

// invalid names the field of the request that is wrong.
func invalid(field, message string) error {
	return failure(codes.InvalidArgument, "INPUT_INVALID", field+": "+message, badRequest(field, message))
}

func tooLarge(field, message string) error {
	return failure(codes.InvalidArgument, "INPUT_TOO_LARGE", field+": "+message, badRequest(field, message))
}

func badRequest(field, message string) *errdetails.BadRequest {
	violation := &errdetails.BadRequest_FieldViolation{Field: field, Description: message}
	return &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{violation}}
}

func modelNotFound(name string) error {
	return failure(codes.NotFound, "MODEL_NOT_FOUND", "there is no model "+name)
}

func overloaded() error {
	retry := &errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)}
	return failure(codes.ResourceExhausted, "OVERLOADED", "all places are taken", retry)
}

func draining() error {
	retry := &errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)}
	return failure(codes.Unavailable, "PROVIDER_DRAINING", "the provider is stopping", retry)
}

// ended says how a call ended whose caller left, or whose deadline passed.
func ended(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return failure(codes.DeadlineExceeded, "DEADLINE_EXCEEDED", "the deadline passed")
	}
	return failure(codes.Canceled, "CANCELLED", "the caller left")
}
