package provider

import (
	"context"
	"errors"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	domain = "mediaconduit"
	// detailsLimit is how many bytes of details a status may carry: past 8 KiB gRPC may drop the error with them.
	detailsLimit  = 4096
	messageLimit  = 1024
	metadataLimit = 2048
	hintLimit     = 512
)

// toStatus packs an error: ErrorInfo first, then what fits.
func toStatus(failure *Error) *spb.Status {
	code, known := codeOf[failure.Reason]
	if !known {
		code = codes.Unknown
	}
	packed := &spb.Status{Code: int32(code), Message: cut(failure.Message, messageLimit)}
	info := &errdetails.ErrorInfo{Domain: domain, Reason: string(failure.Reason), Metadata: map[string]string{}}
	for key, value := range failure.Metadata {
		info.Metadata[key] = cut(value, metadataLimit)
	}
	if failure.Hint != "" {
		info.Metadata["hint"] = cut(failure.Hint, hintLimit)
	}
	attach(packed, info)
	if failure.RetryAfter > 0 {
		attach(packed, &errdetails.RetryInfo{RetryDelay: durationpb.New(failure.RetryAfter)})
	}
	if len(failure.Fields) > 0 {
		attach(packed, badRequest(failure.Fields))
	}
	for _, detail := range failure.Details {
		attach(packed, detail)
	}
	return packed
}

func attach(packed *spb.Status, detail proto.Message) {
	wrapped, err := anypb.New(detail)
	if err == nil && proto.Size(packed)+proto.Size(wrapped) <= detailsLimit {
		packed.Details = append(packed.Details, wrapped)
	}
}

func badRequest(fields []FieldViolation) *errdetails.BadRequest {
	bad, room := &errdetails.BadRequest{}, detailsLimit/2
	for _, field := range fields {
		room -= len(field.Field) + len(field.Description) + 16
		if room < 0 {
			break
		}
		violation := &errdetails.BadRequest_FieldViolation{Field: field.Field, Description: field.Description}
		bad.FieldViolations = append(bad.FieldViolations, violation)
	}
	return bad
}

// cut shortens a text to a number of bytes, without splitting a character, and makes it one that a message takes.
func cut(text string, limit int) string {
	text = wellFormed(text)
	if len(text) <= limit {
		return text
	}
	whole, _ := splitTail(text[:limit-3])
	return whole + "…"
}

// asError is the typed error behind whatever ended a call; nil for one that nobody foresaw.
func asError(err error) *Error {
	var failure *Error
	switch {
	case errors.As(err, &failure):
		return failure
	case errors.Is(err, context.DeadlineExceeded):
		return Errorf(DeadlineExceeded, "the caller's deadline passed before the work was done")
	case errors.Is(err, context.Canceled):
		return Errorf(Cancelled, "the caller left")
	}
	return nil
}

// statusOf is the error as gRPC sends it.
func statusOf(failure *Error) error {
	return status.ErrorProto(toStatus(failure))
}
