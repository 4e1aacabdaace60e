package provider

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
)

// Reason says why a call failed: mediaconduit.v1.ErrorReason without its prefix. The contract says what each one means and
// which metadata it carries.
type Reason string

// The reasons a provider may give.
const (
	ModelNotFound         Reason = "MODEL_NOT_FOUND"
	CapabilityUnsupported Reason = "CAPABILITY_UNSUPPORTED"
	InputInvalid          Reason = "INPUT_INVALID"
	InputTooLarge         Reason = "INPUT_TOO_LARGE"
	CredentialsMissing    Reason = "CREDENTIALS_MISSING"
	CredentialsRejected   Reason = "CREDENTIALS_REJECTED"
	NotAllowed            Reason = "NOT_ALLOWED"
	RateLimited           Reason = "RATE_LIMITED"
	QuotaExceeded         Reason = "QUOTA_EXCEEDED"
	Overloaded            Reason = "OVERLOADED"
	ContentRefused        Reason = "CONTENT_REFUSED"
	ContextTooLong        Reason = "CONTEXT_TOO_LONG"
	VendorUnavailable     Reason = "VENDOR_UNAVAILABLE"
	VendorProtocol        Reason = "VENDOR_PROTOCOL"
	VendorTimeout         Reason = "VENDOR_TIMEOUT"
	ProviderNotReady      Reason = "PROVIDER_NOT_READY"
	ProviderDraining      Reason = "PROVIDER_DRAINING"
	Internal              Reason = "INTERNAL"
	ResourceNotFound      Reason = "RESOURCE_NOT_FOUND"
	ResumeRejected        Reason = "RESUME_REJECTED"
	Cancelled             Reason = "CANCELLED"
	DeadlineExceeded      Reason = "DEADLINE_EXCEEDED"
	ServiceUnsupported    Reason = "SERVICE_UNSUPPORTED"
)

var codeOf = map[Reason]codes.Code{
	ModelNotFound:         codes.NotFound,
	CapabilityUnsupported: codes.FailedPrecondition,
	InputInvalid:          codes.InvalidArgument,
	InputTooLarge:         codes.InvalidArgument,
	CredentialsMissing:    codes.FailedPrecondition,
	CredentialsRejected:   codes.FailedPrecondition,
	NotAllowed:            codes.PermissionDenied,
	RateLimited:           codes.ResourceExhausted,
	QuotaExceeded:         codes.ResourceExhausted,
	Overloaded:            codes.ResourceExhausted,
	ContentRefused:        codes.InvalidArgument,
	ContextTooLong:        codes.InvalidArgument,
	VendorUnavailable:     codes.Unavailable,
	VendorProtocol:        codes.Internal,
	VendorTimeout:         codes.DeadlineExceeded,
	ProviderNotReady:      codes.Unavailable,
	ProviderDraining:      codes.Unavailable,
	Internal:              codes.Internal,
	ResourceNotFound:      codes.NotFound,
	ResumeRejected:        codes.FailedPrecondition,
	Cancelled:             codes.Canceled,
	DeadlineExceeded:      codes.DeadlineExceeded,
	ServiceUnsupported:    codes.Unimplemented,
}

// FieldViolation is one mistake in a request.
type FieldViolation struct {
	// Field is its path from the request ("options.audio.speed", "turns[0].parts[1]").
	Field string
	// Description says what is wrong and what is allowed.
	Description string
}

// Error is a failure its caller can do something about. Return one from Transform; any other error, and every panic,
// becomes INTERNAL with an error id, and its text goes to the log only.
type Error struct {
	Reason Reason
	// Message says for people what happened, without secrets and paths of this machine.
	Message string
	// Hint says what to do next.
	Hint string
	// Fields are the mistakes found, with InputInvalid.
	Fields []FieldViolation
	// Metadata are facts for programs, as the reason's documentation names them.
	Metadata map[string]string
	// RetryAfter is when another try makes sense; 0 = it does not.
	RetryAfter time.Duration
	// Details are further messages of the contract (Usage, Scores) that travel with the error.
	Details []proto.Message
}

// Error gives the message, the fields and the hint.
func (e *Error) Error() string {
	lines := []string{e.Message}
	for _, field := range e.Fields {
		lines = append(lines, "  "+field.Field+": "+field.Description)
	}
	if e.Hint != "" {
		lines = append(lines, "hint: "+e.Hint)
	}
	return strings.Join(lines, "\n")
}

// Errorf makes an error of a reason.
func Errorf(reason Reason, format string, values ...any) *Error {
	return &Error{Reason: reason, Message: fmt.Sprintf(format, values...)}
}

// Invalid is the mistake in one field of the request.
func Invalid(field, format string, values ...any) *Error {
	return invalid([]FieldViolation{{field, fmt.Sprintf(format, values...)}})
}

// WithHint says what to do next.
func (e *Error) WithHint(format string, values ...any) *Error {
	e.Hint = fmt.Sprintf(format, values...)
	return e
}

// With adds a fact for programs.
func (e *Error) With(key, value string) *Error {
	if e.Metadata == nil {
		e.Metadata = map[string]string{}
	}
	e.Metadata[key] = value
	return e
}

func (e *Error) retryAfter(wait time.Duration) *Error {
	e.RetryAfter = wait
	return e
}

// invalid names all mistakes found; there is one at least.
func invalid(fields []FieldViolation) *Error {
	more := ""
	if len(fields) > 1 {
		more = fmt.Sprintf(" (and %d more)", len(fields)-1)
	}
	first := fields[0]
	return &Error{Reason: InputInvalid, Message: first.Field + ": " + first.Description + more, Fields: fields}
}

// unexpected stands for an error nobody foresaw: its text must not leave the process, its error id does.
func unexpected() *Error {
	bytes := make([]byte, 6)
	_, _ = rand.Read(bytes)
	id := hex.EncodeToString(bytes)
	return Errorf(Internal, "an unexpected error ended the call (error id %s)", id).
		WithHint("the provider's logs have the details under this error id").With("error_id", id)
}
