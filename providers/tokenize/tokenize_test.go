package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	pb "github.com/mediaconduit/mediaconduit/protos/go/mediaconduit/v1"
	"github.com/mediaconduit/mediaconduit/provider_hosts/go/providertest"
)

type answer struct {
	Language  language `json:"language"`
	Counts    counts   `json:"counts"`
	Encoding  string   `json:"encoding"`
	Tokens    []token  `json:"tokens"`
	Count     int      `json:"token_count"`
	Truncated bool     `json:"tokens_truncated"`
}

func (a answer) texts() string {
	var whole strings.Builder
	for _, one := range a.Tokens {
		whole.WriteString(one.Text)
	}
	return whole.String()
}

func ask(t *testing.T, text string, extra map[string]any) answer {
	t.Helper()
	served := providertest.Serve(t, definition, nil)
	request := served.Text("default", text)
	if extra != nil {
		values, err := structpb.NewStruct(extra)
		if err != nil {
			t.Fatal(err)
		}
		request.Options = &pb.TransformOptions{Extra: values}
	}
	result, err := served.Do(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if result.MediaType != "application/json" {
		t.Errorf("media type %s", result.MediaType)
	}
	var found answer
	if err := json.Unmarshal([]byte(result.Text), &found); err != nil {
		t.Fatalf("%v in %s", err, result.Text)
	}
	return found
}

func TestATextIsCountedAsAReaderWould(t *testing.T) {
	found := ask(t, "The cat sat. It's 👨‍👩‍👧 time!\nDone?", nil)
	want := counts{Bytes: 48, CodePoints: 35, Characters: 31, Words: 6, Sentences: 3, Lines: 2}
	if found.Counts != want {
		t.Errorf("got %+v, want %+v", found.Counts, want)
	}
}

func TestTokensAreThoseOfTheEncodingAndMakeTheTextAgain(t *testing.T) {
	// The numbers are public: any tool for these encodings gives them.
	for encoding, ids := range map[string][]uint{
		"o200k_base": {13225, 2375, 0}, "cl100k_base": {9906, 1917, 0}, "r50k_base": {15496, 995, 0},
	} {
		found := ask(t, "Hello world!", map[string]any{"encoding": encoding})
		var got []uint
		for _, one := range found.Tokens {
			got = append(got, *one.ID)
		}
		if len(got) != len(ids) || got[0] != ids[0] || got[1] != ids[1] || got[2] != ids[2] || found.texts() != "Hello world!" {
			t.Errorf("%s: got %v", encoding, got)
		}
		if found.Encoding != encoding || found.Count != 3 || found.Truncated {
			t.Errorf("%s: got %+v", encoding, found)
		}
	}
}

func TestATextCutIntoBlocksHasTheTokensOfTheWhole(t *testing.T) {
	text := strings.Repeat("One line, and\n\n  another //\n/one; 12345 \tmore.\r\n", 2000)
	tokens, err := tokensOf("o200k_base")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := tokens.codec.Count(text)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	if err := tokens.each(t.Context(), text, func(token) error { count++; return nil }); err != nil || count != whole {
		t.Errorf("%d tokens in blocks, %d as a whole, %v", count, whole, err)
	}
}

func TestARunWithoutAPlaceToCutTakesNoLonger(t *testing.T) {
	found := ask(t, strings.Repeat("ä", 200_000), map[string]any{"tokens": 0})
	if found.Count == 0 || !found.Truncated || len(found.Tokens) != 0 {
		t.Errorf("got %+v", found)
	}
}

func TestWordsAreTokensWithoutNumbers(t *testing.T) {
	found := ask(t, "Can't stop, won't 3.14!", map[string]any{"encoding": "words"})
	if found.texts() != "Can'tstopwon't3.14" || found.Tokens[0].ID != nil {
		t.Errorf("got %+v", found.Tokens)
	}
}

func TestLanguagesAreTold(t *testing.T) {
	for text, code := range map[string]string{
		"This is surely a sentence that somebody wrote in English, with many words in it.":    "en",
		"Dies ist ganz sicher ein Satz, den jemand auf Deutsch geschrieben hat, mit Wörtern.": "de",
		"Ceci est sans doute une phrase que quelqu'un a écrite en français, avec des mots.":   "fr",
		"これは誰かが日本語で書いた文です。":                                                                   "ja",
		"12345": "",
	} {
		if found := ask(t, text, nil).Language; found.Code != code {
			t.Errorf("%q is %+v", text, found)
		}
	}
}

func TestWhatItCannotTakeIsRefusedByName(t *testing.T) {
	served := providertest.Serve(t, definition, nil)
	extra, _ := structpb.NewStruct(map[string]any{"encoding": "morse"})
	wrong := served.Text("default", "x")
	wrong.Options = &pb.TransformOptions{Extra: extra}
	image := &pb.Part{MediaType: "image/png", Content: &pb.Part_Data{Data: []byte("x")}}
	for field, request := range map[string]*pb.TransformRequest{
		"options.extra.encoding":       wrong,
		"turns[0].parts[0].media_type": served.Request("default", image),
	} {
		_, err := served.Do(t.Context(), request)
		var failure *providertest.Failure
		if !errors.As(err, &failure) || failure.Reason != "INPUT_INVALID" || failure.Fields[0] != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}
