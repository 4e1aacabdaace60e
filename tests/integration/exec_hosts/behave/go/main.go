// Command behave does what its tests want to see, as its twins in other languages do.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
	provider "github.com/mediaconduit/mediaconduit/provider_hosts/go"
)

func main() {
	provider.Main(provider.Definition{
		ID:             "behave",
		New:            construct,
		MaxConcurrency: 4,
		SettingsSchema: `{"type":"object","properties":{"greeting":{"type":"string","minLength":2},` +
			`"api_key":{"type":"string","writeOnly":true,"pattern":"^k-"}},"additionalProperties":false}`,
	})
}

func construct() (provider.Provider, error) {
	if os.Getenv("BEHAVE_FAIL") == "make" {
		return nil, errors.New("as it was told")
	}
	return &behave{key: os.Getenv("BEHAVE_KEY")}, nil
}

type behave struct{ key, greeting string }

func (b *behave) Setup(_ context.Context, report func(float64, string)) error {
	report(0.5, "half")
	if os.Getenv("BEHAVE_FAIL") == "setup" {
		panic("as it was told")
	}
	return nil
}

func (b *behave) Configure(_ context.Context, settings map[string]any) error {
	greeting, _ := settings["greeting"].(string)
	if greeting == "refused" {
		return provider.Invalid("settings.greeting", "is not liked").WithHint("the key is %s", os.Getenv("BEHAVE_KEY"))
	}
	b.greeting = greeting
	return nil
}

func (b *behave) Models(context.Context) ([]provider.Model, error) {
	repeat := provider.Option{Path: "extra.repeat", Schema: `{"type":"integer","minimum":1,"maximum":1000000,"default":1}`}
	models := []provider.Model{}
	for _, id := range []string{"words", "crash", "fail", "hang", "flood", "child", "greet"} {
		models = append(models, provider.Model{
			ID: id, Capabilities: []string{"text-to-text"}, Options: []provider.Option{repeat}, Pricing: &pb.Pricing{},
		})
	}
	return append(models, provider.Model{ID: "echo", Capabilities: []string{"audio-to-audio"}}), nil
}

func (b *behave) Transform(ctx context.Context, call *provider.Call, out *provider.Output) error {
	switch call.Model.ID {
	case "words":
		return words(call, out)
	case "crash":
		panic("a secret detail")
	case "fail":
		key := os.Getenv("BEHAVE_KEY")
		failure := provider.Errorf(provider.RateLimited, "the vendor refuses %s", key).With("whose", "vendor")
		failure.RetryAfter = 7 * time.Second
		return failure
	case "hang":
		if err := out.Text("hanging"); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	case "flood":
		return flood(out)
	case "child":
		return child(ctx, out)
	case "greet":
		return out.Text(b.greeting + " " + b.key)
	}
	return echo(call, out)
}

func words(call *provider.Call, out *provider.Output) error {
	count := int64(0)
	for range provider.OptionOf[int](call, "extra.repeat") {
		for word := range strings.FieldsSeq(call.Text()) {
			count++
			if err := out.Text(word + " "); err != nil {
				return err
			}
		}
	}
	return out.Usage(&pb.Usage{Units: map[string]int64{"word": count}})
}

// flood writes 64 MiB and says before each piece how much it has written.
func flood(out *provider.Output) error {
	piece := strings.Repeat("x", 64<<10)
	for written := int64(0); written < 64<<20; written += 64 << 10 {
		if err := out.Usage(&pb.Usage{Units: map[string]int64{"byte": written}}); err != nil {
			return err
		}
		if err := out.Text(piece); err != nil {
			return err
		}
	}
	return nil
}

func child(ctx context.Context, out *provider.Output) error {
	command := exec.Command("setsid", "sleep", "600")
	if err := command.Start(); err != nil {
		return err
	}
	if err := out.Text(fmt.Sprint(command.Process.Pid)); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

func echo(call *provider.Call, out *provider.Output) error {
	input, err := call.Input("")
	if err != nil {
		return err
	}
	content, err := input.Open()
	if err != nil {
		return err
	}
	stream, err := out.Begin(provider.Spec{MediaType: input.MediaType})
	if err != nil {
		return err
	}
	buffer := make([]byte, 4096)
	for {
		read, err := content.Read(buffer)
		if errors.Is(err, io.EOF) {
			return stream.Done(nil)
		}
		if err != nil {
			return err
		}
		if err := stream.Data(buffer[:read]); err != nil {
			return err
		}
	}
}
