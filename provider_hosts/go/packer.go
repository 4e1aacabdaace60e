package provider

import (
	"strings"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

// packer turns what piled up in a mailbox into one message: it joins neighbours and numbers events. It keeps back the
// beginning of a character whose rest is still to come.
type packer struct {
	sequence int32
	held     map[int32]string
}

// pack makes one message of all items, in order; it may hold no event.
func (p *packer) pack(items []item) *pb.TransformResponse {
	response := &pb.TransformResponse{}
	for start := 0; start < len(items); {
		first, end := items[start], start+1
		for end < len(items) && joins(first, items[end]) {
			end++
		}
		switch {
		case first.event != nil:
			p.addEvent(response, first.event)
		case first.data != nil:
			p.addData(response, items[start:end])
		default:
			p.addText(response, first.index, joined(items[start:end]))
		}
		start = end
	}
	return response
}

func joins(a, b item) bool {
	return a.event == nil && b.event == nil && a.index == b.index && (a.data == nil) == (b.data == nil)
}

func joined(items []item) string {
	if len(items) == 1 {
		return items[0].text
	}
	var whole strings.Builder
	for _, piece := range items {
		whole.WriteString(piece.text)
	}
	return whole.String()
}

func (p *packer) addText(response *pb.TransformResponse, index int32, text string) {
	if held := p.held[index]; held != "" {
		text = held + text
		delete(p.held, index)
	}
	text, tail := splitTail(text)
	if tail != "" {
		if p.held == nil {
			p.held = map[int32]string{}
		}
		p.held[index] = tail
	}
	if text != "" {
		p.addDelta(response, &pb.OutputDelta{Index: index, Delta: &pb.OutputDelta_Text{Text: wellFormed(text)}})
	}
}

// addData joins pieces up to the size of a chunk.
func (p *packer) addData(response *pb.TransformResponse, items []item) {
	for len(items) > 0 {
		size, count := len(items[0].data), 1
		for count < len(items) && size+len(items[count].data) <= chunkBytes {
			size += len(items[count].data)
			count++
		}
		whole := items[0].data
		if count > 1 {
			whole = make([]byte, 0, size)
			for _, piece := range items[:count] {
				whole = append(whole, piece.data...)
			}
		}
		p.addDelta(response, &pb.OutputDelta{Index: items[0].index, Delta: &pb.OutputDelta_Data{Data: whole}})
		items = items[count:]
	}
}

func (p *packer) addDelta(response *pb.TransformResponse, delta *pb.OutputDelta) {
	p.add(response, &pb.TransformEvent{Event: &pb.TransformEvent_OutputDelta{OutputDelta: delta}})
}

func (p *packer) addEvent(response *pb.TransformResponse, event *pb.TransformEvent) {
	if completed := event.GetOutputCompleted(); completed != nil && p.held[completed.GetIndex()] != "" {
		delete(p.held, completed.GetIndex())
		p.addDelta(response, &pb.OutputDelta{
			Index: completed.GetIndex(), Delta: &pb.OutputDelta_Text{Text: replacement},
		})
	}
	p.add(response, event)
}

func (p *packer) add(response *pb.TransformResponse, event *pb.TransformEvent) {
	p.sequence++
	event.Sequence = p.sequence
	response.Events = append(response.Events, event)
}
