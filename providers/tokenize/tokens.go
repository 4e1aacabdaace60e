package main

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/words"
	"github.com/tiktoken-go/tokenizer"
)

// longestRun is how many bytes without a place to cut are merged as one. Merging takes the square of their number, and
// nothing that people write is that long.
const longestRun = 4096

// token is a piece of a text and its number in the encoding; words have none.
type token struct {
	ID   *uint  `json:"id,omitempty"`
	Text string `json:"text"`
}

// tokens cuts texts.
type tokens struct {
	name  string
	codec tokenizer.Codec
}

func tokensOf(encoding string) (tokens, error) {
	if encoding == "words" {
		return tokens{name: encoding}, nil
	}
	codec, err := tokenizer.Get(tokenizer.Encoding(encoding))
	if err != nil {
		return tokens{}, fmt.Errorf("encoding %q: %w", encoding, err)
	}
	return tokens{encoding, codec}, nil
}

// each gives every token in order, until the context ends.
func (t tokens) each(ctx context.Context, text string, take func(token) error) error {
	for len(text) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		block := text[:blockOf(text)]
		text = text[len(block):]
		found, err := t.of(block)
		if err != nil {
			return err
		}
		for _, one := range found {
			if err := take(one); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t tokens) of(block string) ([]token, error) {
	var found []token
	if t.codec == nil {
		for iterator := words.FromString(block); iterator.Next(); {
			if word := iterator.Value(); strings.ContainsFunc(word, isWordCharacter) {
				found = append(found, token{Text: word})
			}
		}
		return found, nil
	}
	ids, texts, err := t.codec.Encode(block)
	for i := range ids {
		found = append(found, token{ID: &ids[i], Text: texts[i]})
	}
	return found, err
}

// blockOf is how many bytes of a text can be cut into tokens by themselves. No token of the encodings reaches over the end
// of a line, unless more space or a slash follows; a run without such a place is cut all the same.
func blockOf(text string) int {
	for at := 0; at < len(text); {
		next := strings.IndexByte(text[at:], '\n')
		if next < 0 || at+next >= longestRun {
			break
		}
		at += next + 1
		if following, _ := utf8.DecodeRuneInString(text[at:]); !isSpace(following) && following != '/' {
			return at
		}
	}
	if len(text) <= longestRun {
		return len(text)
	}
	return lastCut(text[:longestRun])
}

// lastCut is the last place before a word, else the last one between characters.
func lastCut(text string) int {
	for at := len(text) - 1; at > len(text)/2; at-- {
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		if text[at] == ' ' && !isSpace(before) && at+1 < len(text) && isLetter(text[at+1:]) {
			return at
		}
	}
	at := len(text)
	for !utf8.RuneStart(text[at-1]) {
		at--
	}
	return at - 1
}
