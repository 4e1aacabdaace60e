// Command tokenize is a MediaConduit provider: it says of a text its language, its counts and its tokens.
package main

import (
	"context"
	_ "embed"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
	provider "github.com/mediaconduit/mediaconduit/provider_hosts/go"
)

// maxBytes is the longest text taken: about a million characters, some 250,000 tokens.
const maxBytes = 1 << 20

func main() { provider.Main(definition) }

var definition = provider.Definition{
	ID:          "tokenize",
	DisplayName: "Tokenize",
	New:         func() (provider.Provider, error) { return tokenize{}, nil },
	// A call keeps one core busy: more at once only take turns.
	MaxConcurrency: 8,
}

type tokenize struct{}

// Models is the one model.
func (tokenize) Models(context.Context) ([]provider.Model, error) {
	return []provider.Model{{
		ID:               "default",
		DisplayName:      "Tokenize",
		Description:      "Language, counts and tokens of a text, as JSON.",
		Capabilities:     []string{"text-to-text"},
		Inputs:           []provider.InputSpec{{MediaTypes: []string{"text/*"}, Required: true, MaxBytes: maxBytes}},
		OutputMediaTypes: []string{"application/json"},
		Features:         []string{"streaming"},
		Options: []provider.Option{
			{Path: "extra.encoding", Schema: `{"type":"string","enum":["o200k_base","cl100k_base","p50k_base","r50k_base",` +
				`"words"],"default":"o200k_base","description":"Which tokens: those of a byte-pair encoding, or words."}`},
			{Path: "extra.tokens", Schema: `{"type":"integer","minimum":0,"maximum":1000000,"default":10000,` +
				`"description":"How many tokens to list at most; all are counted."}`},
		},
		Pricing: &pb.Pricing{},
	}}, nil
}

// Transform writes one JSON object, the tokens last and as they are found.
func (tokenize) Transform(ctx context.Context, call *provider.Call, out *provider.Output) error {
	text := call.Text()
	tokens, err := tokensOf(provider.OptionOf[string](call, "extra.encoding"))
	if err != nil {
		return err
	}
	report := newReport(out, text, tokens.name, provider.OptionOf[int](call, "extra.tokens"))
	if err := report.begin(); err != nil {
		return err
	}
	if err := tokens.each(ctx, text, report.token); err != nil {
		return err
	}
	if err := report.end(); err != nil {
		return err
	}
	return out.Usage(&pb.Usage{Units: map[string]int64{"character": int64(report.codePoints)}})
}
