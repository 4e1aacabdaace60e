package main

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/abadojack/whatlanggo"
	"github.com/clipperhouse/uax29/v2/graphemes"
	"github.com/clipperhouse/uax29/v2/sentences"
	"github.com/clipperhouse/uax29/v2/words"

	provider "github.com/mediaconduit/mediaconduit/provider_hosts/go"
)

// detectBytes is how much of a text its language is told from: more changes nothing but the time it takes.
const detectBytes = 16 << 10

// language is what a text is written in.
type language struct {
	// Code is ISO 639-1 where there is one, else 639-3; empty = not known.
	Code       string  `json:"code"`
	Name       string  `json:"name"`
	Script     string  `json:"script"`
	Confidence float64 `json:"confidence"`
	Reliable   bool    `json:"reliable"`
}

// counts are how many of each a text has. Characters are what a reader takes for one (grapheme clusters), words and
// sentences as Unicode cuts them (UAX 29), without those that hold neither letter nor digit.
type counts struct {
	Bytes      int `json:"bytes"`
	CodePoints int `json:"code_points"`
	Characters int `json:"characters"`
	Words      int `json:"words"`
	Sentences  int `json:"sentences"`
	Lines      int `json:"lines"`
}

// report writes one JSON object, the tokens as they come.
type report struct {
	out        *provider.Output
	text       string
	encoding   string
	most       int
	found      int
	codePoints int
}

func newReport(out *provider.Output, text, encoding string, most int) *report {
	return &report{out: out, text: text, encoding: encoding, most: most, codePoints: utf8.RuneCountInString(text)}
}

func (r *report) begin() error {
	head, err := json.Marshal(struct {
		Language language `json:"language"`
		Counts   counts   `json:"counts"`
		Encoding string   `json:"encoding"`
	}{languageOf(r.text), countsOf(r.text), r.encoding})
	if err != nil {
		return err
	}
	return r.out.Text(strings.TrimSuffix(string(head), "}") + `,"tokens":[`)
}

func (r *report) token(found token) error {
	r.found++
	if r.found > r.most {
		return nil
	}
	text, err := json.Marshal(found)
	if err != nil {
		return err
	}
	if r.found > 1 {
		return r.out.Text("," + string(text))
	}
	return r.out.Text(string(text))
}

func (r *report) end() error {
	tail, err := json.Marshal(struct {
		Count     int  `json:"token_count"`
		Truncated bool `json:"tokens_truncated"`
	}{r.found, r.found > r.most})
	if err != nil {
		return err
	}
	return r.out.Text("]," + strings.TrimPrefix(string(tail), "{") + "\n")
}

func languageOf(text string) language {
	text = text[:min(len(text), detectBytes)]
	info := whatlanggo.Detect(text)
	if info.Script == nil {
		return language{}
	}
	found := language{
		Code: info.Lang.Iso6391(), Name: info.Lang.String(), Script: whatlanggo.Scripts[info.Script],
		Confidence: info.Confidence, Reliable: info.IsReliable(),
	}
	if found.Code == "" {
		found.Code = info.Lang.Iso6393()
	}
	return found
}

func countsOf(text string) counts {
	found := counts{Bytes: len(text), CodePoints: utf8.RuneCountInString(text)}
	for iterator := graphemes.FromString(text); iterator.Next(); {
		found.Characters++
	}
	for iterator := words.FromString(text); iterator.Next(); {
		if strings.ContainsFunc(iterator.Value(), isWordCharacter) {
			found.Words++
		}
	}
	for iterator := sentences.FromString(text); iterator.Next(); {
		if strings.ContainsFunc(iterator.Value(), isWordCharacter) {
			found.Sentences++
		}
	}
	found.Lines = len(strings.Split(strings.TrimSuffix(text, "\n"), "\n"))
	return found
}

func isWordCharacter(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func isSpace(r rune) bool { return unicode.IsSpace(r) }

func isLetter(text string) bool {
	first, _ := utf8.DecodeRuneInString(text)
	return unicode.IsLetter(first)
}
