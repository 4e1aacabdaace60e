package provider

import (
	"context"
	"sync"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
)

const (
	keptGenerations = 1000
	generationsPage = 100
)

// generations holds records of calls as they end: how usage reaches the broker when a call was cancelled or went past it.
type generations struct {
	mutex   sync.Mutex
	records []*pb.Generation
	// count is how many there were in all.
	count int
	news  chan struct{}
}

func newGenerations() *generations { return &generations{news: make(chan struct{})} }

func (g *generations) add(record *pb.Generation) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.records = append(g.records, record)
	if len(g.records) > keptGenerations {
		g.records[0] = nil
		g.records = g.records[1:]
	}
	g.count++
	close(g.news)
	g.news = make(chan struct{})
}

// after is the position behind the record of that name; the oldest kept when there is none.
func (g *generations) after(name string) int {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	oldest := g.count - len(g.records)
	for i, record := range g.records {
		if name != "" && record.GetName() == name {
			return oldest + i + 1
		}
	}
	return oldest
}

// next waits for records from a position on; it gives them and the position behind them.
func (g *generations) next(ctx context.Context, position int) ([]*pb.Generation, int, error) {
	for {
		g.mutex.Lock()
		news, oldest := g.news, g.count-len(g.records)
		start := max(position-oldest, 0)
		batch := append([]*pb.Generation{}, g.records[start:min(start+generationsPage, len(g.records))]...)
		g.mutex.Unlock()
		if len(batch) > 0 {
			return batch, oldest + start + len(batch), nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, position, ctx.Err()
		}
	}
}
