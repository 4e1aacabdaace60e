package provider

import (
	"strings"
	"unicode/utf8"
)

const replacement = "\uFFFD"

// splitTail gives the text up to its last whole character, and the beginning of one whose rest may still come.
func splitTail(text string) (whole, tail string) {
	for back := 1; back <= min(utf8.UTFMax-1, len(text)); back++ {
		at := len(text) - back
		if !utf8.RuneStart(text[at]) {
			continue
		}
		if !utf8.FullRuneInString(text[at:]) {
			return text[:at], text[at:]
		}
		break
	}
	return text, ""
}

// wellFormed is text that a message takes: what is not UTF-8 becomes U+FFFD.
func wellFormed(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return strings.ToValidUTF8(text, replacement)
}

// pieces cuts a text into pieces of at most so many bytes, between characters.
func pieces(text string, limit int) []string {
	var found []string
	for len(text) > limit {
		at := limit
		for at > limit-utf8.UTFMax && !utf8.RuneStart(text[at]) {
			at--
		}
		found = append(found, text[:at])
		text = text[at:]
	}
	return append(found, text)
}
