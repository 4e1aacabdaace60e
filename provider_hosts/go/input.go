package provider

import (
	"bytes"
	"io"
	"os"
	"sync"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

// Input is one part of the input, whole or still arriving. It reads the same either way, and as often as wanted.
type Input struct {
	// Name is Part.name; empty for the main input.
	Name string
	// MediaType is its IANA media type.
	MediaType string
	// Field is where it stands in the request ("turns[0].parts[1]"), for errors.
	Field string

	part     *pb.Part
	arriving *arriving
}

// Text is its text; empty when it holds none.
func (i *Input) Text() string { return textOf(i.part) }

// URI is where a vendor can fetch it, when the caller sent a reference instead of content; else empty.
func (i *Input) URI() string { return i.part.GetAsset().GetUri() }

// Open reads it from its start. A read waits for what has not come yet, and fails when it will not.
func (i *Input) Open() (io.ReadCloser, error) {
	if i.arriving != nil {
		return &arrivingReader{from: i.arriving}, nil
	}
	content, err := i.Bytes()
	return io.NopCloser(bytes.NewReader(content)), err
}

// Bytes is all of it, in memory.
func (i *Input) Bytes() ([]byte, error) {
	switch {
	case i.arriving != nil:
		return io.ReadAll(&arrivingReader{from: i.arriving})
	case i.part.GetAsset() != nil:
		return nil, Invalid(i.Field, "is a reference; this model wants the content itself")
	case i.part.GetData() != nil:
		return i.part.GetData(), nil
	}
	return []byte(i.part.GetText()), nil
}

// spoolBytes is how much of an arriving part is held in memory before it goes to a file.
const spoolBytes = 1 << 20

// arriving is a part whose content comes in chunks: in memory while it is small, else in a file of the call's folder.
type arriving struct {
	field, mediaType, name string
	newFile                func() (*os.File, error)

	mutex   sync.Mutex
	changed *sync.Cond
	memory  []byte
	file    *os.File
	size    int64
	done    bool
	err     error
}

func newArriving(part *pb.Part, field string, newFile func() (*os.File, error)) *arriving {
	a := &arriving{field: field, mediaType: mediaTypeOf(part), name: part.GetName(), newFile: newFile}
	a.changed = sync.NewCond(&a.mutex)
	return a
}

// feed adds a chunk.
func (a *arriving) feed(data []byte) error {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	defer a.changed.Broadcast()
	if a.file == nil && len(a.memory)+len(data) > spoolBytes {
		if err := a.spool(); err != nil {
			return err
		}
	}
	a.size += int64(len(data))
	if a.file == nil {
		a.memory = append(a.memory, data...)
		return nil
	}
	_, err := a.file.Write(data)
	return err
}

func (a *arriving) spool() error {
	file, err := a.newFile()
	if err != nil {
		return err
	}
	a.file = file
	_, err = file.Write(a.memory)
	a.memory = nil
	return err
}

// end says that no more comes.
func (a *arriving) end() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.done = true
	a.changed.Broadcast()
}

// fail gives whoever waits for the rest an error; nothing when all has come.
func (a *arriving) fail(err error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if !a.done && a.err == nil {
		a.err = err
		a.changed.Broadcast()
	}
}

// state is how much has come, and whether that is all.
func (a *arriving) state() (size int64, done bool) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.size, a.done
}

// dispose frees what it holds; nobody reads any more.
func (a *arriving) dispose() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.memory = nil
	if a.file != nil {
		_ = a.file.Close()
	}
}

type arrivingReader struct {
	from *arriving
	at   int64
}

// Read waits for more than was read.
func (r *arrivingReader) Read(into []byte) (int, error) {
	a := r.from
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for a.size == r.at && !a.done && a.err == nil {
		a.changed.Wait()
	}
	switch {
	case a.err != nil:
		return 0, a.err
	case a.size == r.at:
		return 0, io.EOF
	}
	n := int(min(int64(len(into)), a.size-r.at))
	if a.file != nil {
		read, err := a.file.ReadAt(into[:n], r.at)
		r.at += int64(read)
		return read, err
	}
	copy(into, a.memory[r.at:r.at+int64(n)])
	r.at += int64(n)
	return n, nil
}

// Close does nothing: the call owns what is read from.
func (r *arrivingReader) Close() error { return nil }
