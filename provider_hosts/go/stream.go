package provider

import (
	"encoding/hex"
	"errors"
	"hash"
	"slices"

	"google.golang.org/protobuf/proto"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

// Stream is one output among several. It is completed at the end of the call at the latest.
type Stream struct {
	out      *Output
	index    int32
	kind     pb.OutputKind
	implicit bool
	hasher   hash.Hash
	size     int64
	part     *pb.Part
}

// Text appends text, tool arguments, or a transcript without times.
func (s *Stream) Text(text string) error {
	s.out.mutex.Lock()
	defer s.out.mutex.Unlock()
	if s.kind == pb.OutputKind_OUTPUT_KIND_DATA {
		return s.feedData([]byte(text))
	}
	return s.feedText(text)
}

// Data appends bytes.
func (s *Stream) Data(data []byte) error {
	s.out.mutex.Lock()
	defer s.out.mutex.Unlock()
	return s.feedData(data)
}

// Segment adds a segment to a transcript, or puts it in place of the one with its id.
func (s *Stream) Segment(segment *pb.Segment) error {
	return s.attach(&pb.OutputDelta{Delta: &pb.OutputDelta_Segment{Segment: segment}})
}

// Cite adds a source.
func (s *Stream) Cite(citation *pb.Citation) error {
	return s.attach(&pb.OutputDelta{Delta: &pb.OutputDelta_Citation{Citation: citation}})
}

// State sets what the vendor needs back with this output.
func (s *Stream) State(state *pb.VendorState) error {
	return s.attach(&pb.OutputDelta{Delta: &pb.OutputDelta_VendorState{VendorState: state}})
}

// Done says that nothing more comes; info may be nil.
func (s *Stream) Done(info *pb.MediaInfo) error {
	s.out.mutex.Lock()
	defer s.out.mutex.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	return s.complete(info)
}

func (s *Stream) attach(delta *pb.OutputDelta) error {
	s.out.mutex.Lock()
	defer s.out.mutex.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	delta.Index = s.index
	return s.out.emit(&pb.TransformEvent{Event: &pb.TransformEvent_OutputDelta{OutputDelta: delta}})
}

func (s *Stream) usable() error {
	if !slices.Contains(s.out.open, s) {
		return errors.New("an output was fed after it was done")
	}
	return nil
}

func (s *Stream) feedText(text string) error {
	if err := s.usable(); err != nil {
		return err
	}
	for _, piece := range pieces(text, chunkBytes) {
		if piece == "" {
			continue
		}
		if err := s.out.put(item{index: s.index, text: piece}, len(piece)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stream) feedData(data []byte) error {
	if err := s.usable(); err != nil {
		return err
	}
	if s.hasher == nil {
		return errors.New("bytes were written into an output that holds none")
	}
	s.hasher.Write(data)
	s.size += int64(len(data))
	for piece := range slices.Chunk(data, chunkBytes) {
		// A copy: the author may use the buffer again.
		if err := s.out.put(item{index: s.index, data: slices.Clone(piece)}, len(piece)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stream) complete(info *pb.MediaInfo) error {
	o := s.out
	o.open = slices.DeleteFunc(o.open, func(other *Stream) bool { return other == s })
	for _, current := range []**Stream{&o.text, &o.data, &o.words} {
		if *current == s {
			*current = nil
		}
	}
	completed := &pb.OutputCompleted{Index: s.index, Info: info, Part: s.part}
	if s.hasher != nil && s.part == nil {
		completed.SizeBytes = s.size
		completed.Sha256 = hex.EncodeToString(s.hasher.Sum(nil))
	}
	return o.emit(&pb.TransformEvent{Event: &pb.TransformEvent_OutputCompleted{OutputCompleted: completed}})
}

func (s Spec) kind() pb.OutputKind {
	switch {
	case s.Kind != pb.OutputKind_OUTPUT_KIND_UNSPECIFIED:
		return s.Kind
	case s.ToolCall != nil:
		return pb.OutputKind_OUTPUT_KIND_TOOL_CALL
	case isText(s.MediaType):
		return pb.OutputKind_OUTPUT_KIND_TEXT
	}
	return pb.OutputKind_OUTPUT_KIND_DATA
}

// isWords tells kinds that follow each other in a turn; data and transcripts run beside them.
func isWords(kind pb.OutputKind) bool {
	switch kind {
	case pb.OutputKind_OUTPUT_KIND_TEXT, pb.OutputKind_OUTPUT_KIND_REASONING,
		pb.OutputKind_OUTPUT_KIND_TOOL_CALL, pb.OutputKind_OUTPUT_KIND_TOOL_RESULT:
		return true
	}
	return false
}

func kindOfPart(part *pb.Part) (pb.OutputKind, bool) {
	switch part.GetContent().(type) {
	case *pb.Part_Text:
		return pb.OutputKind_OUTPUT_KIND_TEXT, true
	case *pb.Part_Data, *pb.Part_Asset:
		return pb.OutputKind_OUTPUT_KIND_DATA, true
	case *pb.Part_ToolCall:
		return pb.OutputKind_OUTPUT_KIND_TOOL_CALL, true
	case *pb.Part_ToolResult:
		return pb.OutputKind_OUTPUT_KIND_TOOL_RESULT, true
	case *pb.Part_Reasoning:
		return pb.OutputKind_OUTPUT_KIND_REASONING, true
	case *pb.Part_Transcript:
		return pb.OutputKind_OUTPUT_KIND_TRANSCRIPT, true
	case *pb.Part_Embedding:
		return pb.OutputKind_OUTPUT_KIND_EMBEDDING, true
	case *pb.Part_Scores:
		return pb.OutputKind_OUTPUT_KIND_SCORES, true
	}
	return pb.OutputKind_OUTPUT_KIND_UNSPECIFIED, false
}

func withoutArguments(call *pb.ToolCall) *pb.ToolCall {
	if call == nil {
		return nil
	}
	described := proto.Clone(call).(*pb.ToolCall)
	described.Arguments = ""
	return described
}
